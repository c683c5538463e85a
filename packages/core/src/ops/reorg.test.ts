import { type Tensor4D, tensor4d, tidy, transpose } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ShapeError } from '../errors.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from './gradient-check.test-util.js';
import { reorg } from './reorg.js';

/** Darknet's loop over one image [C,H,W]: value (k, j, i) of the output comes from plane k mod oc of C/s² planes of H·s × W·s. */
function reference(values: ArrayLike<number>, [c, h, w]: [number, number, number], s: number): number[] {
  const oc = c / (s * s);
  const result: number[] = [];
  for (let k = 0; k < c; k++)
    for (let j = 0; j < h; j++)
      for (let i = 0; i < w; i++) {
        const phase = Math.floor(k / oc);
        result.push(values[i * s + (phase % s) + w * s * (j * s + Math.floor(phase / s) + h * s * (k % oc))]);
      }
  return result;
}

describe.each(backends)('reorg on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('orders the values as Darknet does, image by image', () => {
    tidy(() => {
      const [n, c, h, w, s] = [2, 8, 4, 6, 2];
      const nchw = Float32Array.from({ length: n * c * h * w }, (_, i) => i);
      const y = reorg(transpose(tensor4d(nchw, [n, c, h, w]), [0, 2, 3, 1]), s);
      expect(y.shape).toEqual([n, h / s, w / s, c * s * s]);
      const images = [0, 1].map((k) => nchw.subarray(k * c * h * w, (k + 1) * c * h * w));
      expectClose(
        transpose(y, [0, 3, 1, 2]),
        images.flatMap((image) => reference(image, [c, h, w], s)),
      );
    });
  });

  test('has a gradient, and refuses sizes that the stride does not divide', () => {
    tidy(() => {
      checkGradient((x) => reorg(x, 3), [randomTensor<Tensor4D>([2, 3, 6, 9])], { step: 0.1 });
      expect(() => reorg(randomTensor([1, 5, 4, 8]), 2)).toThrow(ShapeError);
      expect(() => reorg(randomTensor([1, 4, 4, 6]), 2)).toThrow(/C by 4, not \[1,4,4,6\]/);
    });
  });
});
