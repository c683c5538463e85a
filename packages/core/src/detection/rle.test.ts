import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Random } from '@convkit/core';
import { polygonsArea, polygonsToRle } from './polygons.js';
import { checkRle, rleFromString, rleToString } from './rle-string.js';
import { maskToRle, mergeRles, rleArea, rleBox, rleIou, rleToMask } from './rle.js';

interface MaskCase {
  size: [height: number, width: number];
  objects: { polygons: number[][]; counts: string; area: number; bbox: [number, number, number, number] }[];
  crowd: number[];
  iou: number[][];
  union: string;
  intersection: string;
}

/** Made by tooling/reference/coco_masks_fixture.py with pycocotools. */
const cases = JSON.parse(readFileSync(new URL('__fixtures__/rle.json', import.meta.url), 'utf8')) as MaskCase[];

test('outlines take the pixels that COCO gives them', () => {
  for (const { size, objects } of cases)
    for (const { polygons, counts } of objects) expect(rleToString(polygonsToRle(polygons, size))).toBe(counts);
});

test('areas, boxes and overlaps, of crowds too, are those of COCO', () => {
  for (const { size, objects, crowd, iou } of cases) {
    const masks = objects.map(({ counts }) => rleFromString(counts, size));
    masks.forEach((mask, i) => {
      const [x, y, width, height] = objects[i].bbox;
      expect(rleArea(mask)).toBe(objects[i].area);
      expect(rleBox(mask)).toEqual(objects[i].area === 0 ? [0, 0, 0, 0] : [x, y, x + width, y + height]);
      masks.forEach((other, j) => expect(rleIou(mask, other, crowd[j] === 1)).toBeCloseTo(iou[i][j], 11));
    });
  }
});

test('the union and the intersection of masks are those of COCO', () => {
  for (const { size, objects, union, intersection } of cases) {
    const masks = objects.map(({ counts }) => rleFromString(counts, size));
    expect(rleToString(mergeRles(masks, 'union'))).toBe(union);
    expect(rleToString(mergeRles(masks, 'intersection'))).toBe(intersection);
  }
});

test('a mask survives its runs, and the runs their text', () => {
  const random = new Random(3);
  for (let i = 0; i < 200; i++) {
    const [height, width] = [1 + random.int(12), 1 + random.int(12)];
    const share = random.uniform();
    const mask = Uint8Array.from({ length: height * width }, () => Number(random.uniform() < share));
    const rle = maskToRle(mask, [height, width]);
    expect(rleToMask(rle)).toEqual(mask);
    expect(rle.counts.slice(1).every((count) => count > 0)).toBe(true);
    expect(rleFromString(rleToString(rle), rle.size)).toEqual(rle);
    expect(checkRle(rle)).toBe(rle);
  }
});

test('a mask that is 0 outside of a box need only be read there', () => {
  const random = new Random(4);
  const [height, width] = [9, 7];
  for (const box of [
    [1.5, 2.5, 5, 8],
    [0, 0, 7, 9],
    [-3, 3, 2, 20],
    [3, 3, 3, 3],
  ] as const) {
    const inside = (x: number, y: number): boolean =>
      x >= Math.floor(box[0]) && y >= Math.floor(box[1]) && x < box[2] && y < box[3];
    const mask = Uint8Array.from({ length: height * width }, (_, i) =>
      Number(inside(i % width, Math.floor(i / width)) && random.uniform() < 0.7),
    );
    expect(maskToRle(mask, [height, width], box)).toEqual(maskToRle(mask, [height, width]));
  }
});

test('runs may be large', () => {
  const rle = { size: [40_000, 50_000], counts: [0, 1_999_999_999, 1] } as const;
  expect(rleFromString(rleToString(rle), rle.size)).toEqual(rle);
});

test('an object without outlines has no pixel', () => {
  const none = polygonsToRle([], [3, 4]);
  expect([none.counts, rleArea(none), rleBox(none), rleIou(none, none)]).toEqual([[12], 0, [0, 0, 0, 0], 0]);
});

test('the area of outlines is theirs, not that of the pixels', () => {
  expect(
    polygonsArea([
      [0, 0, 2, 0, 2, 1, 0, 1],
      [5, 5, 6, 5, 6, 7],
    ]),
  ).toBe(3);
  expect(polygonsArea([])).toBe(0);
});

test('broken masks are refused with what is wrong', () => {
  expect(() => maskToRle([0, 1, 1], [2, 2])).toThrow('expected 2×2 = 4 values, found 3');
  expect(() => rleFromString('0 1', [2, 2])).toThrow('found " " at 1 of 3');
  expect(() => rleFromString('oooooooo0', [2, 2])).toThrow('7 for a number at most');
  expect(() => rleFromString('o', [2, 2])).toThrow('it ends within a number, after 1 characters');
  expect(() => rleFromString('13', [2, 3])).toThrow('add up to 2×3 = 6 pixels, found 4');
  expect(() => checkRle({ size: [2, 2], counts: [5, -1] })).toThrow('run 1 is -1');
  expect(() => checkRle({ size: [2, 2], counts: [2, 2.5] })).toThrow('run 1 is 2.5');
  expect(() => mergeRles([], 'union')).toThrow('expected one mask or more');
  const [a, b] = [{ size: [2, 2], counts: [4] } as const, { size: [1, 4], counts: [4] } as const];
  expect(() => mergeRles([a, b], 'union')).toThrow('must have one size, found 2×2 and 1×4');
  expect(() => rleIou(a, b)).toThrow('must have one size');
});
