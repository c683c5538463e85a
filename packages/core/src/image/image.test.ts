import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { centreCrop, crop, preprocess, resize } from '../image.js';
import type { Image, Interpolation } from '../image.js';

/** Made by tooling/reference/resize_fixture.py with Pillow. */
interface Fixture {
  width: number;
  height: number;
  cases: { interpolation: Interpolation; size: [number, number]; sha256: string; pixels?: string }[];
}
const fixture = JSON.parse(readFileSync(new URL('__fixtures__/resize.json', import.meta.url), 'utf8')) as Fixture;

/** The image that tooling/reference/resize_fixture.py computes. */
function patterned(width: number, height: number): Image {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      pixels[i++] = (Math.floor(x / 7) + Math.floor(y / 5)) % 2 ? 255 : 0;
      pixels[i++] = (x * 3 + y * y) % 256;
      pixels[i++] = (x - 48) ** 2 + (y - 30) ** 2 < 500 ? 250 : (x * y) % 61;
    }
  }
  return { pixels, width, height };
}

const image = patterned(fixture.width, fixture.height);

test.each(fixture.cases)(
  'resizing to $size ($interpolation) gives the bytes that PIL gives',
  ({ interpolation, size, pixels, sha256 }) => {
    const result = resize(image, size, interpolation);
    if (pixels) expect(worstDifference(result.pixels, inflateSync(Buffer.from(pixels, 'base64')))).toBe(0);
    expect(createHash('sha256').update(result.pixels).digest('hex')).toBe(sha256);
  },
);

test('resizing to the same size keeps the pixels, and to a size of 0 is refused', () => {
  expect(resize(image, [image.width, image.height]).pixels).toEqual(image.pixels);
  expect(() => resize(image, [0, 4])).toThrow('resize: expected a width and height of at least 1, found 0×4');
});

test('the centre crop rounds halves to even, as torchvision', () => {
  const row: Image = { width: 8, height: 1, pixels: Uint8Array.from({ length: 24 }, (_, i) => Math.floor(i / 3)) };
  const firstColumn = (width: number): number => centreCrop(row, [1, width]).pixels[0];
  expect(firstColumn(7)).toBe(0); // 0.5 → 0
  expect(firstColumn(5)).toBe(2); // 1.5 → 2
  expect(firstColumn(3)).toBe(2); // 2.5 → 2
  expect(firstColumn(1)).toBe(4); // 3.5 → 4
});

test('the centre crop of a smaller image puts it in the middle of black', () => {
  const white: Image = { width: 1, height: 1, pixels: new Uint8Array([255, 255, 255]) };
  const { pixels } = centreCrop(white, [2, 4]);
  expect([0, 3, 6, 9, 12, 15, 18, 21].map((i) => pixels[i])).toEqual([0, 255, 0, 0, 0, 0, 0, 0]);
});

test('a crop outside of the image is black', () => {
  expect([...crop(image, { left: -5, top: 900, width: 3, height: 2 }).pixels]).toEqual(new Array(18).fill(0));
});

test('preprocess resizes the shorter side, crops the middle and normalises per channel', () => {
  const result = preprocess(image, { size: 24, resize: 32, mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 0.125] });
  const { pixels } = centreCrop(resize(image, [50, 32]), [24, 24]);
  expect(result.length).toBe(24 * 24 * 3);
  for (const i of [0, 1, 2, 700, 1727]) {
    const channel = i % 3;
    expect(result[i]).toBeCloseTo((pixels[i] / 255 - [0.1, 0.2, 0.3][channel]) / [0.5, 0.25, 0.125][channel], 5);
  }
});

test('preprocess without resize squeezes the whole image into the input', () => {
  const result = preprocess(image, { size: [10, 20], mean: [0, 0, 0], std: [1, 1, 1] });
  expect(Math.round(result[599] * 255)).toBe(resize(image, [20, 10]).pixels[599]);
});

function worstDifference(a: Uint8Array, b: Uint8Array): number {
  let worst = a.length === b.length ? 0 : 256;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
  return worst;
}
