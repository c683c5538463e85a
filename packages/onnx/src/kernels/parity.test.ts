import { registerBackend, selectBackend } from '@convkit/core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { fallbacks, onnx } from '../index.js';
import { comparisons } from './cases/comparisons.test-util.js';
import { convolutions } from './cases/convolutions.test-util.js';
import { images } from './cases/images.test-util.js';
import { norms } from './cases/norms.test-util.js';
import { numbers } from './cases/numbers.test-util.js';
import { places } from './cases/places.test-util.js';
import { products } from './cases/products.test-util.js';
import { reductions } from './cases/reductions.test-util.js';
import { shapes } from './cases/shapes.test-util.js';

/** Each kernel against tfjs-cpu's, in the types that tfjs has for it, and after a convolution, whose result lies in NCHW. */

beforeAll(() => {
  registerBackend(onnx);
});

interface Result {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

async function results(backend: string, compute: () => Tensor | Tensor[]): Promise<Result[]> {
  await selectBackend(backend);
  const tensors = tf.tidy(compute);
  const list = Array.isArray(tensors) ? tensors : [tensors];
  const found = list.map((tensor) => ({ dtype: tensor.dtype, shape: tensor.shape, values: [...tensor.dataSync()] }));
  tf.dispose(list);
  return found;
}

function close(found: Result, expected: Result): void {
  expect({ dtype: found.dtype, shape: found.shape }).toEqual({ dtype: expected.dtype, shape: expected.shape });
  const size = expected.values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 1);
  const limit = found.dtype === 'float32' ? 1e-5 * size : 0;
  expected.values.forEach((value, i) => {
    const other = found.values[i];
    if (Object.is(value, other) || (Number.isNaN(value) && Number.isNaN(other)) || value === other) return;
    const place = `value ${i} of ${expected.values.length}: ${other}, not ${value}`;
    expect(Math.abs(other - value), place).toBeLessThanOrEqual(limit);
  });
}

describe.each([
  ['shapes', shapes],
  ['reductions', reductions],
  ['products', products],
  ['places', places],
  ['comparisons', comparisons],
  ['numbers', numbers],
  ['images', images],
  ['convolutions', convolutions],
  ['norms', norms],
])('%s', (_family, cases) => {
  test.each(cases)('%s', async (_name, compute) => {
    const expected = await results('cpu', compute);
    const before = [...fallbacks().keys()];
    const found = await results('onnx', compute);
    expect(found.length).toBe(expected.length);
    expected.forEach((result, i) => close(found[i], result));
    expect(
      [...fallbacks().keys()].filter((name) => !before.includes(name)),
      'fallbacks',
    ).toEqual([]);
  });
});
