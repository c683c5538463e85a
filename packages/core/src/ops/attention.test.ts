import { type Tensor4D, memory, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ShapeError } from '../errors.js';
import { multiQueryAttention } from './attention.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from './gradient-check.test-util.js';

/** The definition, pixel by pixel and head by head. */
function reference(query: Tensor4D, key: Tensor4D, value: Tensor4D): number[] {
  const [n, h, w, channels] = query.shape;
  const [, kh, kw, d] = key.shape;
  const v = value.shape[3];
  const [q, k, values] = [query.dataSync(), key.dataSync(), value.dataSync()];
  const y: number[] = [];
  for (let b = 0; b < n; b++)
    for (let pixel = 0; pixel < h * w; pixel++)
      for (let head = 0; head < channels / d; head++) {
        const scores = Array.from({ length: kh * kw }, (_, p) => {
          let dot = 0;
          for (let i = 0; i < d; i++) dot += q[(b * h * w + pixel) * channels + head * d + i] * k[(b * kh * kw + p) * d + i];
          return Math.exp(dot / Math.sqrt(d));
        });
        const total = scores.reduce((a, c) => a + c);
        for (let j = 0; j < v; j++)
          y.push(scores.reduce((sum, score, p) => sum + (score / total) * values[(b * kh * kw + p) * v + j], 0));
      }
  return y;
}

describe.each(backends)('multiQueryAttention on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  const inputs = (): [Tensor4D, Tensor4D, Tensor4D] => [
    randomTensor([2, 4, 3, 3 * 5], 1),
    randomTensor([2, 2, 2, 5], 1),
    randomTensor([2, 2, 2, 6]),
  ];

  test('every head of every pixel weighs the same values by its own scores', () => {
    const before = memory().numTensors;
    tidy(() => {
      const [q, k, v] = inputs();
      const y = multiQueryAttention(q, k, v);
      expect(y.shape).toEqual([2, 4, 3, 18]);
      expectClose(y, reference(q, k, v));
    });
    expect(memory().numTensors).toBe(before);
  });

  test('has the gradients of its definition', () => {
    const own = inputs();
    checkGradient((q, k, v) => multiQueryAttention(q, k, v), own);
    own.forEach((tensor) => tensor.dispose());
  });

  test('refuses keys and values that do not fit together', () => {
    tidy(() => {
      const [q, k] = inputs();
      expect(() => multiQueryAttention(q, k, randomTensor([2, 3, 2, 6]))).toThrow(ShapeError);
      expect(() => multiQueryAttention(q, randomTensor([2, 2, 2, 4]), randomTensor([2, 2, 2, 6]))).toThrow('heads·d');
    });
  });
});
