import { Random } from '@convkit/core';
import type { Image } from '@convkit/core';
import { expect, test } from 'vitest';
import { CifarRecords, cifarRecordBytes } from './records.js';
import {
  drawPlacement,
  drawResizedCrop,
  fitImage,
  imageLayout,
  normalisationTable,
  packedLayout,
  writeNormalised,
} from './transforms.js';

const identity = normalisationTable({ mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] });

/** 4×3 pixels; red is 10·y + x + 1, green and blue 0. */
const numbered: Image = {
  width: 4,
  height: 3,
  pixels: Uint8Array.from({ length: 36 }, (_, i) => (i % 3 === 0 ? 10 * Math.floor(i / 12) + ((i / 3) % 4) + 1 : 0)),
};

function reds(placement: { left: number; top: number; mirrored: boolean }): number[][] {
  const target = new Float32Array(36).fill(NaN);
  writeNormalised(imageLayout(numbered), placement, identity, target, 0);
  expect(target.every((value) => !Number.isNaN(value))).toBe(true);
  return [0, 1, 2].map((y) => [0, 1, 2, 3].map((x) => Math.round(target[(y * 4 + x) * 3])));
}

test('an image that is not moved is copied', () => {
  expect(reds({ left: 0, top: 0, mirrored: false })).toEqual([
    [1, 2, 3, 4],
    [11, 12, 13, 14],
    [21, 22, 23, 24],
  ]);
});

test('what a shift brings in is black', () => {
  expect(reds({ left: 1, top: -1, mirrored: false })).toEqual([
    [0, 0, 0, 0],
    [2, 3, 4, 0],
    [12, 13, 14, 0],
  ]);
  expect(reds({ left: -2, top: 2, mirrored: false })).toEqual([
    [0, 0, 21, 22],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  expect(reds({ left: 9, top: 0, mirrored: false })).toEqual([
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
});

test('mirroring swaps left and right, before or with a shift', () => {
  expect(reds({ left: 0, top: 0, mirrored: true })[0]).toEqual([4, 3, 2, 1]);
  expect(reds({ left: 1, top: 0, mirrored: true })[0]).toEqual([0, 4, 3, 2]);
  expect(reds({ left: -1, top: 0, mirrored: true })[0]).toEqual([3, 2, 1, 0]);
});

test('planes in memory and rows of RGB give the same numbers', () => {
  const random = new Random(5);
  const bytes = Uint8Array.from({ length: 2 * cifarRecordBytes }, () => random.int(10));
  const records = new CifarRecords(bytes);
  const table = normalisationTable({ mean: [0.4, 0.5, 0.6], std: [0.1, 0.2, 0.3] });
  for (let i = 0; i < 20; i++) {
    const placement = drawPlacement(random, { crop: { padding: 4 }, flip: true });
    const [fromPlanes, fromImage] = [new Float32Array(3072), new Float32Array(3072)];
    writeNormalised(packedLayout(records.packed, 1), placement, table, fromPlanes, 0);
    writeNormalised(imageLayout(records.image(1)), placement, table, fromImage, 0);
    expect(fromPlanes).toEqual(fromImage);
  }
});

test('shifts are uniform over −padding … padding, and half of the images are mirrored', () => {
  const random = new Random(2);
  const counts = new Map<number, number>();
  let mirrored = 0;
  for (let i = 0; i < 9000; i++) {
    const placement = drawPlacement(random, { crop: { padding: 4 }, flip: true });
    counts.set(placement.left, (counts.get(placement.left) ?? 0) + 1);
    if (placement.mirrored) mirrored++;
  }
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3, 4]);
  expect(Math.min(...counts.values())).toBeGreaterThan(850);
  expect(Math.abs(mirrored - 4500)).toBeLessThan(200);
});

test('a random resized crop has the asked share and ratio, and stays inside', () => {
  const random = new Random(3);
  for (let i = 0; i < 500; i++) {
    const { left, top, width, height } = drawResizedCrop({ width: 300, height: 200 }, { scale: [0.2, 0.5] }, random);
    expect(left >= 0 && top >= 0 && left + width <= 300 && top + height <= 200).toBe(true);
    expect((width * height) / 60_000).toBeGreaterThan(0.19);
    expect((width * height) / 60_000).toBeLessThan(0.51);
    expect(width / height).toBeGreaterThan(0.73);
    expect(width / height).toBeLessThan(1.36);
  }
});

test('where no crop fits, the middle of the nearest ratio is taken', () => {
  const box = drawResizedCrop({ width: 1000, height: 10 }, { scale: [0.9, 1] }, new Random(0));
  expect(box).toEqual({ left: 493, top: 0, width: 13, height: 10 });
});

test('an image is fitted to the input by a random crop, or by resize and centre crop', () => {
  const preprocessing = { size: [2, 2] as const, resize: 3, mean: [0, 0, 0] as const, std: [1, 1, 1] as const };
  const centre = fitImage(numbered, preprocessing, {}, new Random(0));
  expect([centre.width, centre.height, centre.pixels[0]]).toEqual([2, 2, 2]);
  const random = fitImage(numbered, preprocessing, { randomResizedCrop: {} }, new Random(0));
  expect([random.width, random.height]).toEqual([2, 2]);
});
