import { type Tensor, type Tensor1D, memory, tensor1d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ShapeError } from '../errors.js';
import { batchNormInference, batchNormTraining } from './batch-norm.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from './gradient-check.test-util.js';

const ignore = (): void => undefined;

describe.each(backends)('batch normalisation on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test('inference uses the statistics given', () => {
    tidy(() => {
      const x = randomTensor([2, 3, 2, 2]);
      const y = batchNormInference(x, tensor1d([1, -1]), tensor1d([4, 0.25]), tensor1d([2, 3]), tensor1d([0.5, 0]), 0);
      const expected = Array.from(x.dataSync(), (v, i) => (i % 2 === 0 ? ((v - 1) / 2) * 2 + 0.5 : ((v + 1) / 0.5) * 3));
      expectClose(y, expected);
    });
  });

  test('training normalises with the statistics of the batch, and reports mean and biased variance', () => {
    tidy(() => {
      const x = tensor4d([1, 10, 2, 20, 3, 30, 6, 40], [2, 2, 1, 2]);
      let reported: number[][] = [];
      const y = batchNormTraining(x, tensor1d([1, 2]), tensor1d([0, 5]), 0, (mean, variance) => {
        reported = [Array.from(mean.dataSync()), Array.from(variance.dataSync())];
      });
      expect(reported).toEqual([
        [3, 25],
        [3.5, 125],
      ]);
      const expected = [1, 10, 2, 20, 3, 30, 6, 40].map((v, i) =>
        i % 2 === 0 ? (v - 3) / Math.sqrt(3.5) : (2 * (v - 25)) / Math.sqrt(125) + 5,
      );
      expectClose(y, expected);
    });
  });

  test('a large mean does not spoil a small variance', () => {
    tidy(() => {
      const x = tensor4d([1000.25, 1000.5, 1000.75, 1001], [4, 1, 1, 1]);
      let variance = 0;
      batchNormTraining(x, tensor1d([1]), tensor1d([0]), 1e-5, (_, v) => (variance = v.dataSync()[0]!));
      expect(variance).toBeCloseTo(0.078125, 6);
    });
  });

  test.each([
    [3, 2, 4, 5],
    [2, 3, 3, 16],
    [8, 6],
  ])('the gradient of training is right for x [%s, %s, …]', (...shape) => {
    const size = shape.filter((n): n is number => n !== undefined);
    tidy(() => {
      const c = size.at(-1)!;
      const inputs = [randomTensor(size), randomTensor([c], 0.5), randomTensor([c])];
      const f = (x: Tensor, scale: Tensor, offset: Tensor) => batchNormTraining(x, scale, offset, 1e-3, ignore);
      checkGradient(f, inputs, { step: 0.02, tolerance: 1e-2 });
    });
  });

  test('the gradient of inference is right in all five inputs', () => {
    tidy(() => {
      const variance = tensor1d([0.5, 1.5, 2]) as Tensor;
      const inputs = [randomTensor([2, 3, 2, 3]), randomTensor([3]), variance, randomTensor([3]), randomTensor([3])];
      const f = (...[x, mean, v, scale, offset]: Tensor[]) => batchNormInference(x, mean, v, scale, offset, 1e-3);
      checkGradient(f, inputs, { step: 0.02 });
    });
  });

  test('a shape that does not fit is an error; nothing leaks, not even when the callback throws', () => {
    const x = randomTensor([2, 2, 2, 3]);
    const [three, two] = [tensor1d([1, 1, 1]), tensor1d([1, 1])] as [Tensor1D, Tensor1D];
    const before = memory().numTensors;
    expect(() => batchNormTraining(x, two, three, 1e-5, ignore)).toThrow(ShapeError);
    expect(() => batchNormTraining(x, two, three, 1e-5, ignore)).toThrow(/needs scale \[3\], not \[2\]/);
    const fail = (): never => {
      throw new Error('stop');
    };
    expect(() => batchNormTraining(x, three, three, 1e-5, fail)).toThrow('stop');
    batchNormTraining(x, three, three, 1e-5, ignore).dispose();
    expect(memory().numTensors).toBe(before);
    for (const t of [x, three, two]) t.dispose();
  });
});
