import { selectBackend } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { conv2d, gather, memory, mul, relu, tensor1d, tensor4d, tidy, add } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { fallbacks, registerOnnx } from './index.js';

beforeAll(async () => {
  registerOnnx();
  await selectBackend('onnx');
});

const close = (found: Tensor, expected: readonly number[]) => {
  const values = found.dataSync();
  expect(values.length).toBe(expected.length);
  expected.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 5));
};

test('kernels record, and a read runs what is referenced', () => {
  const before = memory();
  const y = tidy(() => relu(add(mul(tensor1d([1, -2, 3]), 2), 1)));
  close(y, [3, 0, 7]);
  y.dispose();
  expect(memory().numTensors).toBe(before.numTensors);
});

test("a convolution gives cpu's values", async () => {
  const pixels = Float32Array.from({ length: 2 * 5 * 6 * 3 }, (_, i) => Math.sin(i));
  const weights = Float32Array.from({ length: 3 * 3 * 3 * 4 }, (_, i) => Math.cos(i));
  const run = () =>
    tidy(() => add(conv2d(tensor4d(pixels, [2, 5, 6, 3]), tensor4d(weights, [3, 3, 3, 4]), 2, 'same'), tensor1d([1, 2, 3, 4])));
  const y = run();
  const found = y.dataSync();
  y.dispose();
  await selectBackend('cpu');
  const z = run();
  const expected = [...z.dataSync()];
  z.dispose();
  await selectBackend('onnx');
  expect(found.length).toBe(expected.length);
  expected.forEach((v, i) => expect(found[i]).toBeCloseTo(v, 4));
  expect([...fallbacks().keys()]).toEqual([]);
});

test('a value that cannot be computed fails when it is read, and no other with it', () => {
  const found = tidy(() => {
    const x = tensor1d([1, 2, 3]);
    const bad = gather(x, tensor1d([7], 'int32'));
    const good = mul(x, 2);
    const values = [...good.dataSync()];
    expect(() => bad.dataSync()).toThrow('out of data bounds');
    expect(() => bad.dataSync()).toThrow('out of data bounds');
    return values;
  });
  expect(found).toEqual([2, 4, 6]);
});
