import { type Tensor, memory, scalar, tensor1d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ShapeError } from './errors.js';
import * as F from './functional.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from './ops/gradient-check.test-util.js';

/** Φ(x), by the trapezoidal rule. */
function normal(x: number): number {
  const steps = 4000;
  const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  let sum = (density(0) + density(x)) / 2;
  for (let i = 1; i < steps; i++) sum += density((i * x) / steps);
  return 0.5 + (sum * x) / steps;
}
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const hardSigmoid = (x: number): number => Math.min(Math.max(x + 3, 0), 6) / 6;

const activations: Record<string, [(x: Tensor) => Tensor, (x: number) => number]> = {
  relu: [F.relu, (x) => Math.max(x, 0)],
  relu6: [F.relu6, (x) => Math.min(Math.max(x, 0), 6)],
  sigmoid: [F.sigmoid, sigmoid],
  tanh: [F.tanh, Math.tanh],
  leakyRelu: [F.leakyRelu, (x) => (x > 0 ? x : 0.01 * x)],
  elu: [F.elu, (x) => (x > 0 ? x : Math.exp(x) - 1)],
  selu: [F.selu, (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1))],
  clamp: [(x) => F.clamp(x, -2, 3), (x) => Math.min(Math.max(x, -2), 3)],
  silu: [F.silu, (x) => x * sigmoid(x)],
  mish: [F.mish, (x) => x * Math.tanh(Math.log(1 + Math.exp(x)))],
  gelu: [F.gelu, (x) => x * normal(x)],
  hardSigmoid: [F.hardSigmoid, hardSigmoid],
  hardSwish: [F.hardSwish, (x) => x * hardSigmoid(x)],
};

describe.each(backends)('functions on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(Object.entries(activations))('%s: values and gradient', (_, [f, expected]) => {
    tidy(() => {
      const points = [-8, -4.3, -2.7, -1.1, -0.4, -0.05, 0.05, 0.3, 0.9, 2.2, 3.4, 5.5, 7.1];
      const x = tensor1d(points);
      expectClose(f(x), points.map(expected), 2e-6);
      checkGradient(f, [x], { step: 1e-2, tolerance: 5e-3, samples: points.length });
      checkGradient((a) => f(F.mul(a, scalar(2.5))), [randomTensor([2, 3, 3, 5], 0.1)], { step: 1e-3 });
    });
  });

  test('add and mul: gradients, with one tensor used twice, and broadcast', () => {
    tidy(() => {
      const x = randomTensor([2, 3, 3, 4]);
      checkGradient((a, b) => F.add(F.add(a, b), a), [x, randomTensor(x.shape)], { step: 0.1 });
      checkGradient((a, b) => F.mul(a, b), [x, randomTensor([2, 1, 1, 4])], { step: 0.1 });
      expect(() => F.add(x, randomTensor([4]))).toThrow(ShapeError);
    });
  });

  test('cropMiddle keeps the middle, and has a gradient', () => {
    tidy(() => {
      const x = tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 3, 4, 1]);
      expectClose(F.cropMiddle(x, [2, 2]), [2, 3, 6, 7]);
      checkGradient((a) => F.cropMiddle(a, [2, 3]), [randomTensor([2, 3, 4, 2])], { step: 0.1 });
      expect(() => F.cropMiddle(x, [4, 4])).toThrow(ShapeError);
    });
  });

  test('means and maxima over places and over channels', () => {
    tidy(() => {
      const x = tensor4d([1, 5, 3, -4, 8, -6], [1, 1, 3, 2]);
      expectClose(F.spatialMean(x), [4, -5 / 3]);
      expectClose(F.spatialMax(x), [8, 5]);
      expectClose(F.channelMean(x), [3, -0.5, 1]);
      expectClose(F.channelMax(x), [5, 3, 8]);
      expect(F.spatialMax(x).shape).toEqual([1, 1, 1, 2]);
      expect(F.channelMax(x).shape).toEqual([1, 1, 3, 1]);
      for (const f of [F.spatialMean, F.spatialMax, F.channelMean, F.channelMax])
        checkGradient(f, [randomTensor([2, 3, 3, 4])], { step: 1e-3 });
    });
  });

  test('mul by a number, affine and reverseChannels', () => {
    tidy(() => {
      const x = tensor4d([1, 2, 3, 4, 5, 6], [1, 1, 2, 3]);
      expectClose(F.mul(x, 0.5), [0.5, 1, 1.5, 2, 2.5, 3]);
      expectClose(F.affine(x, [1, 2, 3], [0, 10, 20]), [1, 14, 29, 4, 20, 38]);
      expectClose(F.reverseChannels(x), [3, 2, 1, 6, 5, 4]);
      checkGradient((a) => F.reverseChannels(F.affine(F.mul(a, 2), [1, 2, 3], [0, 1, 2])), [x], { step: 0.1 });
    });
  });

  test('concat joins channels', () => {
    tidy(() => {
      const [a, b] = [tensor4d([1, 2], [1, 1, 2, 1]), tensor4d([3, 4, 5, 6], [1, 1, 2, 2])];
      expectClose(F.concat([a, b]), [1, 3, 4, 2, 5, 6]);
      checkGradient((p, q) => F.concat([p, q, p]), [randomTensor([2, 3, 3, 2]), randomTensor([2, 3, 3, 5])], { step: 0.1 });
    });
  });

  test('globalAvgPool averages over the pixels', () => {
    tidy(() => {
      expectClose(F.globalAvgPool(tensor4d([1, 10, 2, 20, 3, 30, 4, 40, 5, 0, 5, 4], [2, 3, 1, 2])), [2, 20, 14 / 3, 44 / 3]);
      checkGradient(F.globalAvgPool, [randomTensor([2, 3, 4, 5])], { step: 0.1 });
      expect(() => F.globalAvgPool(randomTensor([2, 3]))).toThrow(/\[N,H,W,C\], not \[2,3\]/);
    });
  });

  test("flatten lays values out in PyTorch's order of channel, row, column", () => {
    tidy(() => {
      const y = F.flatten(tensor4d([0, 10, 1, 11, 2, 12, 3, 13], [1, 2, 2, 2]));
      expect(y.shape).toEqual([1, 8]);
      expectClose(y, [0, 1, 2, 3, 10, 11, 12, 13]);
      checkGradient(F.flatten, [randomTensor([2, 2, 3, 4])], { step: 0.1 });
    });
  });

  test('softmax and logSoftmax over the last axis', () => {
    tidy(() => {
      const x = randomTensor([3, 5]);
      const values = x.dataSync() as Float32Array;
      const expected = Array.from(values, (v, i) => {
        const row = values.slice(i - (i % 5), i - (i % 5) + 5);
        return Math.exp(v) / row.reduce((a, b) => a + Math.exp(b), 0);
      });
      expectClose(F.softmax(x), expected);
      expectClose(F.logSoftmax(x), expected.map(Math.log));
      checkGradient(F.softmax, [x]);
      checkGradient(F.logSoftmax, [x]);
    });
  });

  test('subsample and padChannels: the shortcut without weights', () => {
    tidy(() => {
      const x = tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
      expectClose(F.subsample(x, 2), [1, 3, 7, 9]);
      expectClose(F.padChannels(F.subsample(x, 3), 1, 2), [0, 1, 0, 0]);
      checkGradient((a) => F.padChannels(F.subsample(a, 2), 1, 2), [randomTensor([2, 5, 4, 3])], { step: 0.1 });
    });
  });

  test('nothing leaks outside of a tidy', () => {
    const x = randomTensor([2, 4, 4, 3]);
    const before = memory().numTensors;
    for (const [f] of Object.values(activations)) f(x).dispose();
    for (const f of [F.globalAvgPool, F.flatten, F.softmax, F.logSoftmax, (a: Tensor) => F.subsample(a, 2)]) f(x).dispose();
    expect(memory().numTensors).toBe(before);
    x.dispose();
  });
});
