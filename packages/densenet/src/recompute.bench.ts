// What recomputation saves and costs: one training step of DenseNet-BC (L = 100, k = 12) on 32 images of 32×32.
//
//     npx vitest bench --run --config ../../vitest.config.ts src/recompute.bench.ts
import { Random, selectBackend } from '@convkit/core';
import { crossEntropy, gradientStep } from '@convkit/core/train';
import { fillInput } from '@convkit/model-tests';
import { backend, tensor4d } from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { densenet100K12Bc } from './index.js';

await selectBackend('wasm');
const x = tensor4d(fillInput([32, 3, 32, 32]), [32, 32, 32, 3]);
const labels = Int32Array.from({ length: 32 }, (_, i) => i % 10);

// The heap of WebAssembly only grows: the smaller need comes first.
describe('a training step', () => {
  for (const recompute of [true, false]) {
    const model = densenet100K12Bc({ recompute }).initialize(0);
    const step = async () => {
      const pass = gradientStep(model, x, labels, crossEntropy(), { training: true, random: new Random(0) });
      await pass.loss.data();
      pass.dispose();
    };
    const teardown = () => {
      const { wasm } = backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
      console.log(`recompute: ${recompute}, heap ${(wasm.HEAPU8.length / 2 ** 20).toFixed(0)} MiB`);
    };
    bench(`recompute: ${recompute}`, step, { iterations: 3, time: 0, warmupIterations: 1, warmupTime: 0, teardown });
  }
});
