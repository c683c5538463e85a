import { type Tensor, type Tensor4D, abs, memory, neg, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../errors.js';
import { Random } from '../random.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from './gradient-check.test-util.js';
import { type AvgPoolOptions, type MaxPoolOptions, adaptiveAvgPool, avgPool, maxPool } from './pool.js';

type Options = Omit<MaxPoolOptions, 'padding'> &
  Pick<AvgPoolOptions, 'padding'> &
  Partial<Pick<AvgPoolOptions, 'countIncludePad'>>;

/** torch's pooling as loops: `kind` picks the value, and for averages the divisor. */
function reference(kind: 'max' | 'avg', x: Tensor4D, o: Options): number[] {
  const [n, h, w, c] = x.shape;
  const values = x.dataSync();
  const dilation = o.dilation ?? [1, 1];
  const count = (i: 0 | 1, size: number) => {
    const steps = (size + 2 * o.padding[i] - dilation[i] * (o.kernel[i] - 1) - 1) / o.stride[i];
    const out = (o.ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
    return o.ceilMode && (out - 1) * o.stride[i] >= size + o.padding[i] ? out - 1 : out;
  };
  const y: number[] = [];
  for (let b = 0; b < n; b++)
    for (let oy = 0; oy < count(0, h); oy++)
      for (let ox = 0; ox < count(1, w); ox++)
        for (let k = 0; k < c; k++) {
          let [best, sum, valid] = [-Infinity, 0, 0];
          const [top, left] = [oy * o.stride[0] - o.padding[0], ox * o.stride[1] - o.padding[1]];
          for (let ky = 0; ky < o.kernel[0]; ky++)
            for (let kx = 0; kx < o.kernel[1]; kx++) {
              const [iy, ix] = [top + ky * dilation[0], left + kx * dilation[1]];
              if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
              const value = values[((b * h + iy) * w + ix) * c + k];
              best = Math.max(best, value);
              sum += value;
              valid++;
            }
          const area =
            (Math.min(top + o.kernel[0], h + o.padding[0]) - top) * (Math.min(left + o.kernel[1], w + o.padding[1]) - left);
          y.push(kind === 'max' ? best : sum / (o.countIncludePad ? area : valid));
        }
  return y;
}

const base = { padding: [0, 0], ceilMode: false } as const;
const cases: Record<string, Options> = {
  '2×2': { ...base, kernel: [2, 2], stride: [2, 2] },
  '3×3, stride 2, padding 1': { ...base, kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  'ceil mode': { ...base, kernel: [3, 3], stride: [2, 2], ceilMode: true },
  'ceil mode where the last window would start in the padding': {
    ...base,
    kernel: [2, 2],
    stride: [3, 3],
    padding: [1, 1],
    ceilMode: true,
  },
  'ceil mode with padding': { ...base, kernel: [3, 2], stride: [2, 3], padding: [1, 1], ceilMode: true },
  '1×1, stride 2': { ...base, kernel: [1, 1], stride: [2, 2] },
  '5×5, stride 1, padding 2': { ...base, kernel: [5, 5], stride: [1, 1], padding: [2, 2] },
};

describe.each(backends)('pooling on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  const dilated: Options = { ...base, kernel: [3, 2], stride: [2, 1], padding: [1, 1], dilation: [2, 3] };
  test.each([...Object.entries(cases), ['dilation', dilated] as const])('maxPool, %s: values and gradient', (_, o) => {
    tidy(() => {
      // Values 1/168 apart, so that a step cannot change which one is the largest.
      const order = new Random(3).permutation(2 * 8 * 7 * 3);
      const x = tensor4d(
        Float32Array.from(order, (k) => k / 168 - 1),
        [2, 8, 7, 3],
      );
      expectClose(maxPool(x, o), reference('max', x, o));
      checkGradient((a) => maxPool(a as Tensor4D, o), [x], { step: 1e-3 });
    });
  });

  test('maxPool may pad more on one side: a 2×2 window with stride 1 keeps the size', () => {
    tidy(() => {
      const x = tensor4d([3, 1, 2, 4, 9, 5, 8, 7, 6], [1, 3, 3, 1]);
      const y = maxPool(x, {
        ...base,
        kernel: [2, 2],
        stride: [1, 1],
        padding: [
          [0, 1],
          [0, 1],
        ],
      });
      expectClose(y, [9, 9, 5, 9, 9, 6, 8, 7, 6]);
      expect(() => maxPool(x, { ...base, kernel: [2, 2], stride: [1, 1], padding: [[1, 2], 0] })).toThrow(ArgumentError);
    });
  });

  describe.each([true, false])('countIncludePad: %s', (countIncludePad) => {
    test.each(Object.entries(cases))('avgPool, %s: values and gradient', (_, o) => {
      tidy(() => {
        const x = randomTensor<Tensor4D>([2, 8, 7, 3]);
        expectClose(avgPool(x, { ...o, countIncludePad }), reference('avg', x, { ...o, countIncludePad }));
        checkGradient((a) => avgPool(a as Tensor4D, { ...o, countIncludePad }), [x], { step: 0.1 });
      });
    });
  });

  test('maxPool takes negative values over its padding', () => {
    tidy(() => {
      const x = neg(abs(randomTensor<Tensor4D>([1, 4, 4, 2])));
      const o: Options = { ...base, kernel: [3, 3], stride: [2, 2], padding: [1, 1] };
      expect(Math.max(...maxPool(x, o).dataSync())).toBeLessThan(0);
    });
  });

  test.each([
    [1, 1],
    [2, 3],
    [3, 3],
    [7, 5],
    [6, 8],
  ] as const)('adaptiveAvgPool to %s×%s averages over its bins', (h, w) => {
    tidy(() => {
      const x = randomTensor<Tensor4D>([2, 6, 8, 2]);
      const values = x.dataSync();
      const expected: number[] = [];
      for (let b = 0; b < 2; b++)
        for (let i = 0; i < h; i++)
          for (let j = 0; j < w; j++)
            for (let k = 0; k < 2; k++) {
              let [sum, count] = [0, 0];
              for (let y = Math.floor((i * 6) / h); y < Math.ceil(((i + 1) * 6) / h); y++)
                for (let z = Math.floor((j * 8) / w); z < Math.ceil(((j + 1) * 8) / w); z++) {
                  sum += values[((b * 6 + y) * 8 + z) * 2 + k];
                  count++;
                }
              expected.push(sum / count);
            }
      expectClose(adaptiveAvgPool(x, [h, w]), expected);
      checkGradient((a: Tensor) => adaptiveAvgPool(a as Tensor4D, [h, w]), [x], { step: 0.1 });
    });
  });

  test('a window that cannot work is an error, and nothing leaks', () => {
    const x = randomTensor<Tensor4D>([1, 3, 3, 2]);
    const before = memory().numTensors;
    expect(() => maxPool(x, { ...base, kernel: [4, 4], stride: [1, 1] })).toThrow(ShapeError);
    expect(() => maxPool(x, { ...base, kernel: [2, 2], stride: [1, 1], padding: [2, 2] })).toThrow(ArgumentError);
    expect(() => adaptiveAvgPool(x, [0, 1])).toThrow(ArgumentError);
    maxPool(x, { ...base, kernel: [2, 2], stride: [1, 1], padding: [1, 1] }).dispose();
    avgPool(x, { ...base, kernel: [2, 2], stride: [2, 2], ceilMode: true, countIncludePad: true }).dispose();
    adaptiveAvgPool(x, [2, 2]).dispose();
    expect(memory().numTensors).toBe(before);
    x.dispose();
  });
});
