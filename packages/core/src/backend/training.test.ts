import { type Scalar, type Tensor, env, memory, tensor4d } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { globalAvgPool, relu, silu } from '../functional.js';
import { BatchNorm2d } from '../layers/batch-norm.js';
import { Conv2d } from '../layers/conv2d.js';
import { ConvNormAct } from '../layers/conv-norm-act.js';
import { Linear } from '../layers/linear.js';
import { MaxPool2d } from '../layers/pool.js';
import { SqueezeExcite } from '../layers/squeeze-excite.js';
import { type Context, Module, Sequential, pipe } from '../module.js';
import { Random } from '../random.js';
import { gradientStep } from '../train/gradient-step.js';
import { crossEntropy } from '../train/losses.js';
import { sgd } from '../train/optimizers.js';
import { testBackends, useBackend } from './test-backends.test-util.js';
import { missingTrainingKernels, requireTrainingKernels } from './training-kernels.js';

/** A net with each kind of layer that a backend could get wrong. */
class Tiny extends Module {
  readonly stem = new ConvNormAct(3, 8, 3, { stride: 2 });
  readonly pool = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly depthwise = new ConvNormAct(8, 8, 3, { groups: 8, activation: silu });
  readonly se = new SqueezeExcite(8, 4);
  readonly grouped = new Conv2d(8, 16, 3, { padding: 2, dilation: 2, groups: 2, bias: false });
  readonly norm = new BatchNorm2d(16);
  readonly fc = new Linear(16, 4);

  forward(x: Tensor, ctx: Context): Tensor {
    const body = new Sequential([this.stem, this.pool, this.depthwise, this.se, this.grouped, this.norm, relu]);
    return pipe(ctx, x, body, globalAvgPool, this.fc);
  }
}

const [n, side] = [8, 16];
const labels = Int32Array.from({ length: n }, (_, i) => i % 4);
const random = new Random(3);
const pixels = Float32Array.from({ length: n * side * side * 3 }, () => random.normal());

async function train(steps: number) {
  const model = new Tiny().initialize(5);
  const optimizer = sgd({ momentum: 0.9 }).bind(model.parameters());
  const x = tensor4d(pixels, [n, side, side, 3]);
  const losses: number[] = [];
  const first = new Map<string, Float32Array>();
  const tensors: number[] = [];
  for (let i = 0; i < steps; i++) {
    const step = gradientStep(model, x, labels, crossEntropy(), { training: true, random });
    losses.push(await value(step.loss));
    if (i === 0) for (const [name, gradient] of step.gradients) first.set(name, await gradient.data<'float32'>());
    optimizer.step(step.gradients, 0.1);
    step.dispose();
    tensors.push(memory().numTensors);
  }
  x.dispose();
  optimizer.dispose();
  model.dispose();
  return { losses, first, tensors };
}

const value = async (loss: Scalar): Promise<number> => (await loss.data())[0];

for (const backend of testBackends.filter((name) => name !== 'cpu')) {
  test(`a small net trains on ${backend} with cpu's gradients, and its loss falls`, async () => {
    await useBackend('cpu');
    const expected = await train(3);
    await useBackend(backend);
    if (backend === 'webgpu') env().set('WEBGPU_CPU_FORWARD', false);
    requireTrainingKernels();
    const found = await train(12);
    expect([...found.first.keys()]).toEqual([...expected.first.keys()]);
    for (const [name, gradient] of expected.first) {
      const largest = gradient.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3);
      found.first.get(name)!.forEach((v, i) => {
        expect(Math.abs(v - gradient[i]), `${name}[${i}]`).toBeLessThanOrEqual(1e-3 * largest);
      });
    }
    expected.losses.forEach((loss, i) => expect(found.losses[i]).toBeCloseTo(loss, 3));
    expect(found.losses.at(-1)!).toBeLessThan(found.losses[0] * 0.5);
    expect(new Set(found.tensors.slice(1)).size).toBe(1);
  });
}

test('the check before training finds what a backend lacks', async () => {
  await useBackend('wasm');
  expect(missingTrainingKernels()).toEqual([]);
  expect(missingTrainingKernels('nothing')).toContain('MaxPoolGrad');
});
