/**
 * Training steps a second (forward, backward, SGD with momentum, all read at the end) of a CIFAR ResNet-20, onnx against wasm;
 * times the batch size, images a second. From packages/onnx:
 *
 *   npx vitest bench --run --config ../../vitest.config.ts src/step.bench.ts
 *
 * With CONVKIT_ONNX_PROFILE=step in the environment ONNX Runtime writes the times of the nodes to step_….json.
 */
import { Random, selectBackend } from '@convkit/core';
import { crossEntropy, sgd, trainStep } from '@convkit/core/train';
import { resnet20 } from '@convkit/resnet';
import { bench, describe } from 'vitest';
import { registerOnnx } from './index.js';

registerOnnx();
const [n, side] = [128, 32];
const random = new Random(1);
const images = Float32Array.from({ length: n * side * side * 3 }, () => random.normal());
const labels = Int32Array.from({ length: n }, (_, i) => i % 10);

describe(`a ResNet-20 step, batch ${n}`, () => {
  for (const backend of ['onnx', 'wasm']) {
    let step: () => Promise<unknown>;
    bench(backend, () => step().then(() => undefined), {
      iterations: 10,
      warmupIterations: 3,
      time: 0,
      warmupTime: 0,
      setup: async () => {
        await selectBackend(backend);
        const model = resnet20().initialize(0);
        const setup = { model, optimizer: sgd({ momentum: 0.9 }).bind(model.parameters()), loss: crossEntropy() };
        const context = () => ({ training: true, random });
        let taken = 0;
        step = () =>
          trainStep(setup, { step: ++taken, learningRate: 0.01, context }, [{ images, shape: [n, side, side, 3], labels }]);
      },
    });
  }
});
