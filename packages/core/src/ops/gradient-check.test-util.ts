import '../train/gradients.js';
import { type Tensor, grads, memory, mul, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { expect } from 'vitest';
import { Random } from '../random.js';

export { testBackends as backends, useBackend } from '../backend/test-backends.test-util.js';

const random = new Random(7);

/** Values in −1 … 1 that keep a distance of `gap` to 0, where ReLU-like functions have a kink. */
export function randomTensor<T extends Tensor>(shape: readonly number[], gap = 0): T {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length: size }, () => {
    const value = random.uniform(-1, 1);
    return value < 0 ? value - gap : value + gap;
  });
  return tensor(values, [...shape]) as T;
}

/**
 * Checks the gradient of Σ w·f(...inputs), with fixed random weights w, against central differences, in every input at up
 * to `samples` places. Also checks that nothing leaks.
 */
export function checkGradient(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  { step = 1e-2, tolerance = 1e-2, samples = 12 } = {},
): void {
  const before = memory().numTensors;
  const shape = tidy(() => f(...inputs).shape);
  const weights = randomTensor(shape);
  const weightValues = weights.dataSync().slice();
  const analytic = tidy(() =>
    grads((...xs: Tensor[]) => sum(mul(f(...xs), weights)))([...inputs]).map((g) => g.dataSync().slice()),
  );
  const loss = (i: number, values: Float32Array): number =>
    tidy(() => {
      const own = tensor(values, inputs[i].shape);
      const y = f(...inputs.map((x, j) => (i === j ? own : x))).dataSync() as Float32Array;
      return y.reduce((total, value, k) => total + value * weightValues[k], 0);
    });
  inputs.forEach((input, i) => {
    const values = input.dataSync() as Float32Array;
    const scale = Math.max(1e-3, ...analytic[i].map(Math.abs));
    for (let n = 0; n < Math.min(samples, values.length); n++) {
      const at = values.length <= samples ? n : random.int(values.length);
      const [up, down] = [values.slice(), values.slice()];
      up[at] += step;
      down[at] -= step;
      const numeric = (loss(i, up) - loss(i, down)) / (up[at] - down[at]);
      const error = Math.abs(numeric - analytic[i][at]) / scale;
      expect(error, `input ${i}, element ${at}: ${analytic[i][at]} against ${numeric} by differences`).toBeLessThan(tolerance);
    }
  });
  weights.dispose();
  expect(memory().numTensors, 'tensors after').toBe(before);
}

/** Largest difference of a tensor's values from those expected. */
export function expectClose(actual: Tensor, expected: ArrayLike<number>, tolerance = 1e-5): void {
  const values = actual.dataSync();
  expect(values.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(values[i] - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i])))) {
      expect.fail(`element ${i} of [${actual.shape}]: ${values[i]}, expected ${expected[i]}`);
    }
  }
}
