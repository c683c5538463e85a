import {
  BatchNorm2d,
  Conv2d,
  ConvNormAct,
  Linear,
  MaxPool2d,
  Random,
  Sequential,
  globalAvgPool,
  inference,
  probeBackends,
  relu,
  selectBackend,
  softmax,
} from '@convkit/core';
import '@convkit/core/webgpu';
import { crossEntropy, gradientStep, sgd } from '@convkit/core/train';
import { env, memory, tensor4d } from '@tensorflow/tfjs-core';

export interface PageResult {
  readonly reason: string;
  readonly probabilities: number[];
  readonly gradients: Record<string, number[]>;
  readonly losses: number[];
  /** tfjs' count after each step. */
  readonly tensors: number[];
  readonly milliseconds: number;
}

const [n, side] = [8, 16];
const labels = Int32Array.from({ length: n }, (_, i) => i % 4);

function net(): Sequential {
  return new Sequential({
    stem: new ConvNormAct(3, 8, 3, { stride: 2 }),
    pool: new MaxPool2d(3, { stride: 2, padding: 1 }),
    depthwise: new ConvNormAct(8, 8, 3, { groups: 8 }),
    dilated: new Conv2d(8, 16, 3, { padding: 2, dilation: 2, groups: 2, bias: false }),
    norm: new BatchNorm2d(16),
    activation: relu,
    mean: globalAvgPool,
    fc: new Linear(16, 4),
  });
}

/** A forward pass and `steps` training steps of a small net on the named backend. */
async function run(backend: string, steps: number): Promise<PageResult> {
  const { reason } = await selectBackend(backend, { wasmPath: '/wasm/' });
  if (backend === 'webgpu') env().set('WEBGPU_CPU_FORWARD', false);
  const start = performance.now();
  const model = net().initialize(5);
  const random = new Random(3);
  const x = tensor4d(
    Float32Array.from({ length: n * side * side * 3 }, () => random.normal()),
    [n, side, side, 3],
  );
  const logits = model.forward(x, inference);
  const probabilities = softmax(logits);
  const result: PageResult = {
    reason,
    probabilities: [...(await probabilities.data<'float32'>())],
    gradients: {},
    losses: [],
    tensors: [],
    milliseconds: 0,
  };
  logits.dispose();
  probabilities.dispose();
  const optimizer = sgd({ momentum: 0.9 }).bind(model.parameters());
  for (let i = 0; i < steps; i++) {
    const step = gradientStep(model, x, labels, crossEntropy(), { training: true, random });
    result.losses.push(...(await step.loss.data()));
    if (i === 0) {
      for (const [name, gradient] of step.gradients) result.gradients[name] = [...(await gradient.data<'float32'>())];
    }
    optimizer.step(step.gradients, 0.1);
    step.dispose();
    result.tensors.push(memory().numTensors);
  }
  for (const owner of [optimizer, model, x]) owner.dispose();
  return { ...result, milliseconds: performance.now() - start };
}

Object.assign(window, { convkit: { run, probeBackends, selectBackend } });
