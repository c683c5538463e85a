import { selectBackend } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { add, conv2d, cumprod, gather, memory, mul, relu, tensor1d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { fallbacks, onnx, registerOnnx } from './index.js';

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

test('a kernel without ONNX form gives right values of what is recorded, is counted, and leaves no tensor', async () => {
  const probe = await onnx.probe({});
  expect(probe.usable && probe.inJavaScript).toContain('Cumprod');
  expect(probe.usable && probe.inJavaScript).not.toContain('Conv2D');
  const before = memory().numTensors;
  const y = tidy(() => add(cumprod(mul(tensor1d([1, 2, 3]), 2)), 1));
  close(y, [3, 9, 49]);
  y.dispose();
  expect(memory().numTensors).toBe(before);
  expect(fallbacks().get('Cumprod')?.calls).toBe(1);
});

test('a kernel that has spent 20 ms in JavaScript is a warning, once', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 15));
  tidy(() => [1, 2, 3, 4].map((n) => cumprod(tensor1d([n, 2])).dataSync()));
  clock.mockRestore();
  expect(warn.mock.calls.filter(([text]) => String(text).includes('Cumprod has no ONNX form'))).toHaveLength(1);
  warn.mockRestore();
});

test('memory counts the bytes of what is recorded, and reads are the same synchronously or not', async () => {
  const before = memory();
  const x = tensor1d([1, 2, 3]);
  const y = mul(x, 2);
  expect(memory().numBytes - before.numBytes).toBe(24);
  expect(memory().unreliable).not.toBe(true);
  expect([...(await y.data())]).toEqual([...y.dataSync()]);
  x.dispose();
  y.dispose();
  expect(memory().numBytes).toBe(before.numBytes);
});
