import { createHash } from 'node:crypto';
import { Random } from '@convkit/core';
import { expect, test } from 'vitest';
import { cifarRecordBytes } from './records.js';
import type { CifarRecords } from './records.js';
import { shapeClasses, shapeOutlines } from './shapes.js';
import { syntheticShapes } from './synthetic.js';

test('the same seed draws the same bytes on every machine', () => {
  const { bytes } = syntheticShapes({ size: 200, seed: 1 });
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(
    '4364321fb8d59a95a2f17e3e547e94027d1ec5555ee84318425c6c1466ea47ea',
  );
});

test('an image depends on seed, split and its index, not on how many are drawn', () => {
  const hundred = syntheticShapes({ size: 100, seed: 3 }).bytes;
  expect(syntheticShapes({ size: 30, seed: 3 }).bytes).toEqual(hundred.subarray(0, 30 * cifarRecordBytes));
  expect(syntheticShapes({ size: 100, seed: 4 }).bytes).not.toEqual(hundred);
});

test('no test image is among the training images', () => {
  const digests = (records: CifarRecords): string[] =>
    Array.from({ length: records.length }, (_, i) => createHash('md5').update(records.image(i).pixels).digest('hex'));
  const train = new Set(digests(syntheticShapes({ size: 500 })));
  expect(digests(syntheticShapes({ size: 500, split: 'test' })).filter((digest) => train.has(digest))).toEqual([]);
});

test('it is in CIFAR-10’s record format, the ten classes in turn', () => {
  const records = syntheticShapes({ size: 25 });
  expect(records.bytes.length).toBe(25 * 3073);
  expect(Array.from({ length: 25 }, (_, i) => records.label(i))).toEqual(Array.from({ length: 25 }, (_, i) => i % 10));
  expect(records.classes).toEqual(shapeClasses);
});

test('all outlines stay within 1.16 of the centre, and so nearly within the picture', () => {
  for (const outline of Object.values(shapeOutlines).flat()) {
    for (const [x, y] of outline) expect(x * x + y * y).toBeLessThanOrEqual(1.16 ** 2);
  }
});

test('the colours of an image do not tell its class', () => {
  // A linear model on the mean colour of each image.
  const means = (records: CifarRecords): Float32Array[] =>
    Array.from({ length: records.length }, (_, i) => {
      const { pixels } = records.image(i);
      return Float32Array.from(
        [0, 1, 2],
        (c) => pixels.reduce((sum, value, at) => (at % 3 === c ? sum + value : sum), 0) / 1024 / 255 - 0.5,
      );
    });
  const train = syntheticShapes({ size: 1000 });
  const held = syntheticShapes({ size: 1000, split: 'test' });
  const accuracy = softmaxRegression(means(train), train, means(held), held);
  console.log(`linear model on mean colours: ${(100 * accuracy).toFixed(1)} %`);
  expect(accuracy).toBeLessThan(0.2);
});

test('a linear model on the pixels stays under 60 %', () => {
  const pixels = (records: CifarRecords): Float32Array[] =>
    Array.from({ length: records.length }, (_, i) => Float32Array.from(records.image(i).pixels, (value) => value / 255 - 0.5));
  const train = syntheticShapes({ size: 2000 });
  const held = syntheticShapes({ size: 1000, split: 'test' });
  const accuracy = softmaxRegression(pixels(train), train, pixels(held), held);
  console.log(`linear model: ${(100 * accuracy).toFixed(1)} %`);
  expect(accuracy).toBeGreaterThan(0.1);
  expect(accuracy).toBeLessThan(0.6);
});

test('a size that is not a positive integer is refused', () => {
  expect(() => syntheticShapes({ size: 0 })).toThrow('synthetic: expected a size of at least 1 image, found 0');
});

/** Softmax regression by SGD with momentum; the best accuracy on the held-out images over its epochs. */
function softmaxRegression(train: Float32Array[], labels: CifarRecords, held: Float32Array[], heldLabels: CifarRecords): number {
  const features = train[0].length;
  const weights = Array.from({ length: 10 }, () => new Float32Array(features + 1));
  const scores = (x: Float32Array): number[] =>
    weights.map((row) => {
      let sum = row[features];
      for (let i = 0; i < features; i++) sum += row[i] * x[i];
      return sum;
    });
  let best = 0;
  for (let epoch = 0; epoch < 8; epoch++) {
    const rate = 0.01 / (1 + epoch);
    for (const index of new Random(0).child(epoch).permutation(train.length)) {
      const x = train[index];
      const z = scores(x);
      const top = Math.max(...z);
      const exps = z.map((value) => Math.exp(value - top));
      const total = exps.reduce((a, b) => a + b);
      weights.forEach((row, c) => {
        const step = rate * (exps[c] / total - (c === labels.label(index) ? 1 : 0));
        for (let i = 0; i < features; i++) row[i] -= step * x[i];
        row[features] -= step;
      });
    }
    const right = held.filter((x, i) => {
      const z = scores(x);
      return z.indexOf(Math.max(...z)) === heldLabels.label(i);
    });
    best = Math.max(best, right.length / held.length);
  }
  return best;
}
