import { memory, tensor2d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { ShapeError } from '../errors.js';
import { expectClose, randomTensor, useBackend } from '../ops/gradient-check.test-util.js';
import { BatchNorm1d, BatchNorm2d } from './batch-norm.js';

test('BatchNorm1d normalises each feature of vectors, and tracks its statistics', async () => {
  await useBackend('cpu');
  const before = memory().numTensors;
  const norm = new BatchNorm1d(2, { eps: 0 }).initialize(1);
  tidy(() => {
    const x = tensor2d([1, 10, 3, 30], [2, 2]);
    expectClose(norm.forward(x, { training: true }), [-1, -1, 1, 1]);
    expectClose(norm.forward(x, { training: false }), [
      ...[(1 - 0.2) / Math.sqrt(1.1), (10 - 2) / Math.sqrt(20.9)],
      ...[(3 - 0.2) / Math.sqrt(1.1), (30 - 2) / Math.sqrt(20.9)],
    ]);
    expect(() => norm.forward(randomTensor([2, 1, 1, 2]), { training: false })).toThrow(ShapeError);
  });
  expect([...(await norm.running_var.read())].map((v) => v.toFixed(4))).toEqual(['1.1000', '20.9000']);
  norm.dispose();
  expect(memory().numTensors).toBe(before);
});

test('BatchNorm2d may add eps to the deviation, in evaluation and in what a convolution takes over from it', async () => {
  await useBackend('cpu');
  const before = memory().numTensors;
  const norm = new BatchNorm2d(1, { eps: 0.5, epsAddedTo: 'deviation' }).initialize(1);
  norm.running_var.set(Float32Array.of(4));
  norm.running_mean.set(Float32Array.of(1));
  tidy(() => {
    expectClose(norm.forward(tensor4d([1, 6], [1, 1, 2, 1]), { training: false }), [0, 2]);
    expectClose(norm.affine().scale, [0.4]);
  });
  const x = tensor4d([1, 6], [1, 1, 2, 1]);
  for (const tensor of [norm.forward(x, { training: false }), x]) tensor.dispose();
  norm.dispose();
  expect(memory().numTensors).toBe(before);
});
