/**
 * Training steps a second (forward, backward, SGD with momentum) of a CIFAR ResNet-20, wasm against cpu; times the batch size,
 * images a second. From packages/core:
 *
 *   npx vitest bench --run --config ../../vitest.config.ts src/backend/wasm/step.bench.ts
 */
import { bench, describe } from 'vitest';
import { useBackend } from '../../ops/gradient-check.test-util.js';
import { ResNet20, Steps, noise } from './step.test-util.js';

describe.each([
  ['wasm', 32],
  ['wasm', 128],
  ['cpu', 32],
] as const)('a ResNet-20 step on %s', (backend, batch) => {
  let steps: Steps;
  bench(`batch ${batch}`, () => void steps.step(), {
    iterations: backend === 'wasm' ? 5 : 1,
    warmupIterations: backend === 'wasm' ? 2 : 0,
    time: 0,
    warmupTime: 0,
    setup: async () => {
      await useBackend(backend);
      steps = new Steps(new ResNet20().initialize(0), noise(batch));
    },
    teardown: () => steps.dispose(),
  });
});
