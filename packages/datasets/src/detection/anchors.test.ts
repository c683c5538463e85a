import { Random } from '@convkit/core';
import { expect, test } from 'vitest';
import { type BoxSize, boxSizes, findAnchors } from './anchors.js';
import type { DetectionDataset } from './dataset.js';
import { syntheticDetection } from './synthetic.js';

/** Boxes around three sizes. */
function clusters(): BoxSize[] {
  const random = new Random(1);
  const centres = [
    [10, 12],
    [60, 30],
    [200, 220],
  ];
  return Array.from({ length: 300 }, (_, i) => {
    const [w, h] = centres[i % 3];
    return [w * random.uniform(0.9, 1.1), h * random.uniform(0.9, 1.1)] as const;
  });
}

test('k-means finds the sizes that boxes are drawn around, smallest first', () => {
  const { anchors, meanIou } = findAnchors(clusters(), { count: 3 });
  const expected = [10, 12, 60, 30, 200, 220];
  anchors.flat().forEach((side, i) => expect(Math.abs(side / expected[i] - 1)).toBeLessThan(0.02));
  expect(meanIou).toBeGreaterThan(0.88);
});

test('the same seed gives the same anchors, more anchors fit better', () => {
  const sizes = clusters();
  expect(findAnchors(sizes, { count: 5, seed: 3 })).toEqual(findAnchors(sizes, { count: 5, seed: 3 }));
  const ious = [1, 2, 3, 9].map((count) => findAnchors(sizes, { count }).meanIou);
  expect(ious).toEqual([...ious].sort((a, b) => a - b));
});

test('one anchor is the mean size, and its IoU the mean IoU', () => {
  const { anchors, meanIou } = findAnchors(
    [
      [10, 10],
      [30, 10],
    ],
    { count: 1 },
  );
  expect(anchors).toEqual([[20, 10]]);
  expect(meanIou).toBeCloseTo((1 / 2 + 2 / 3) / 2, 12);
});

test('boxes are seen at the size that the net sees', async () => {
  const box = [10, 20, 50, 100] as const;
  const objects = [
    { class: 0, box },
    { class: 0, box, crowd: true },
    { class: 0, box, ignore: true },
    { class: 0, box: [5, 5, 5, 9] as const },
  ];
  const image = { width: 200, height: 400, pixels: new Uint8Array(200 * 400 * 3) };
  const dataset: DetectionDataset = {
    ...{ name: 'one', length: 1, classes: ['a'], ids: [1] },
    load: () => Promise.resolve({ id: 1, fileName: 'one.png', image, objects }),
  };
  expect(await boxSizes(dataset, [416, 416])).toEqual([[41.6, 83.2]]);
  const drawn = syntheticDetection({ size: 3, side: 64 });
  const known = { ...drawn, objects: () => objects, load: () => Promise.reject(new Error('not needed')) };
  expect(await boxSizes(known, [64, 64])).toHaveLength(3);
});

test('more anchors than boxes are refused', () => {
  expect(() => findAnchors([[1, 2]], { count: 2 })).toThrow('expected at least 2 boxes for 2 anchors, found 1');
  expect(() => findAnchors([[1, 2]], { count: 0 })).toThrow('expected a count of at least 1, found 0');
});
