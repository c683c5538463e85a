import { selectBackend } from '@convkit/core';
import { adamw, crossEntropy, gradientStep, sgd, trainStep } from '@convkit/core/train';
import { Random } from '@convkit/core';
import { resnet8 } from '@convkit/resnet';
import { engine, memory, tensor } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { type OnnxBackend, registerOnnx } from './index.js';

registerOnnx();

async function train(backend: string, steps: number) {
  await selectBackend(backend);
  const model = resnet8({ numClasses: 10 }).initialize(1);
  const optimizer = sgd({ momentum: 0.9 }).bind(model.parameters());
  const random = new Random(1);
  const [n, side] = [16, 16]; // so many images that filters have their gradients from convolutions over blocks
  const x = tensor(
    Float32Array.from({ length: n * side * side * 3 }, () => random.normal()),
    [n, side, side, 3],
  );
  const labels = Int32Array.from({ length: n }, (_, i) => i % 10);
  const losses: number[] = [];
  const first = new Map<string, Float32Array>();
  for (let i = 0; i < steps; i++) {
    const step = gradientStep(model, x, labels, crossEntropy(), { training: true, random });
    losses.push((await step.loss.data())[0]);
    if (i === 0) for (const [name, gradient] of step.gradients) first.set(name, (await gradient.data()).slice() as Float32Array);
    optimizer.step(step.gradients, 0.05);
    step.dispose();
  }
  const mean = await model.bn1.running_mean.read();
  x.dispose();
  optimizer.dispose();
  model.dispose();
  return { losses, first, mean, tensors: memory().numTensors };
}

test('ResNet-8 has the gradients of tfjs-cpu and trains alike', async () => {
  const expected = await train('cpu', 3);
  const found = await train('onnx', 3);
  for (const [name, gradient] of expected.first) {
    const own = found.first.get(name)!;
    const largest = gradient.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-6);
    const worst = gradient.reduce((most, v, i) => Math.max(most, Math.abs(v - own[i])), 0);
    expect(worst / largest, name).toBeLessThan(1e-3);
  }
  expected.losses.forEach((loss, i) => expect(found.losses[i]).toBeCloseTo(loss, 3));
  expected.mean.forEach((v, i) => expect(found.mean[i]).toBeCloseTo(v, 4));
  expect(found.tensors).toBe(expected.tensors);
});

test('60 small steps: one graph, and as many tensors at the end as at the start', async () => {
  await selectBackend('onnx');
  const backend = engine().backend as OnnxBackend;
  const model = resnet8({ numClasses: 10 }).initialize(1);
  const optimizer = adamw().bind(model.parameters());
  const images = Float32Array.from({ length: 4 * 8 * 8 * 3 }, (_, i) => Math.sin(i));
  const batch = { images, shape: [4, 8, 8, 3] as [number, number, number, number], labels: Int32Array.of(1, 2, 3, 4) };
  const setup = { model, optimizer, loss: crossEntropy() };
  const seen = new Set<string>();
  const compiled = backend.statistics.compiled;
  for (let step = 1; step <= 60; step++) {
    const context = () => ({ training: true });
    await trainStep(setup, { step, learningRate: 1e-3 / step, context }, [batch]);
    const { numTensors, numBytes } = memory();
    seen.add(`${numTensors} tensors, ${backend.numDataIds()} values, ${numBytes} bytes`);
  }
  expect([...seen]).toHaveLength(1);
  expect(backend.statistics.compiled - compiled).toBe(1);
  optimizer.dispose();
  model.dispose();
});
