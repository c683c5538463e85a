import { memory, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { ShapeError } from '../errors.js';
import { expectClose, randomTensor, useBackend } from '../ops/gradient-check.test-util.js';
import { BatchNorm1d } from './batch-norm.js';

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
