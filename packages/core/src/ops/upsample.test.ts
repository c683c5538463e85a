import { memory, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../errors.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from './gradient-check.test-util.js';
import { upsample } from './upsample.js';

describe.each(backends)('on the %s backend', (backend) => {
  beforeAll(() => useBackend(backend));

  test('each pixel becomes a square of copies of it', () => {
    const before = memory().numTensors;
    tidy(() => {
      const x = tensor4d([1, -1, 2, -2, 3, -3, 4, -4], [1, 2, 2, 2]);
      const y = upsample(x, 2);
      expect(y.shape).toEqual([1, 4, 4, 2]);
      const top = [1, -1, 1, -1, 2, -2, 2, -2];
      const bottom = [3, -3, 3, -3, 4, -4, 4, -4];
      expectClose(y, [...top, ...top, ...bottom, ...bottom]);
    });
    expect(memory().numTensors).toBe(before);
  });

  test.each([1, 3, 7])('factor %d takes the pixel that covers the place, on a map of uneven sides', async (factor) => {
    const x = randomTensor([2, 5, 11, 3]);
    const values = x.dataSync();
    const y = upsample(x as never, factor);
    const expected: number[] = [];
    for (let n = 0; n < 2; n++)
      for (let r = 0; r < 5 * factor; r++)
        for (let c = 0; c < 11 * factor; c++)
          for (let k = 0; k < 3; k++)
            expected.push(values[((n * 5 + Math.floor(r / factor)) * 11 + Math.floor(c / factor)) * 3 + k]);
    expectClose(y, expected, 0);
    x.dispose();
    y.dispose();
  });

  test('its gradient is the sum over the copies', () => {
    checkGradient((x) => upsample(x as never, 2), [randomTensor([2, 3, 2, 3])]);
    checkGradient((x) => upsample(x as never, 3), [randomTensor([1, 2, 3, 2])]);
  });

  test('maps of another rank and factors below 1 are refused', () => {
    expect(() => upsample(randomTensor([2, 2]), 2)).toThrow(ShapeError);
    for (const factor of [0, 1.5, Number.NaN]) {
      expect(() => upsample(randomTensor([1, 2, 2, 1]), factor)).toThrow(ArgumentError);
    }
  });
});
