import { rleBox, rleToMask } from '@convkit/core/detection';
import { expect, test } from 'vitest';
import { keypointsOf } from './keypoints.js';
import { maskOf } from './masks.js';

/** An image of 80 × 40 in the middle of an input of 160 × 160, twice as large: 40 pixels of border above and below. */
const placement = { scaleX: 2, scaleY: 2, left: 0, top: 40, imageWidth: 80, imageHeight: 40 };
const size = { width: 40, height: 40 };

/** Prototypes [2, 40, 40]: a disc around the middle of the input, and a constant. */
const values = Float32Array.from({ length: 2 * 40 * 40 }, (_, i) => {
  const [x, y] = [(i % 40) + 0.5, Math.floor(i / 40) + 0.5];
  return i < 40 * 40 ? 12 - Math.hypot(x - 20, y - 20) : 1;
});
const prototypes = { ...size, values };

test('a mask is the mixture above 0, in pixels of the image', () => {
  const {
    size: [height, width],
    counts,
  } = maskOf([0, 0, 80, 40], Float32Array.of(1, -4), prototypes, placement);
  expect([height, width]).toEqual([40, 80]);
  expect(counts.reduce((a, b) => a + b)).toBe(3200);
  // 12 − r > 4: a disc of 8 pixels of the prototypes, 16 of the image, around (40, 20)
  const mask = rleToMask({ size: [height, width], counts });
  for (const [i, value] of mask.entries()) {
    const distance = Math.hypot((i % 80) + 0.5 - 40, Math.floor(i / 80) + 0.5 - 20);
    if (Math.abs(distance - 16) > 0.2) expect(value, `at distance ${distance}`).toBe(distance < 16 ? 1 : 0);
  }
});

test('a mask ends at its box', () => {
  const everywhere = Float32Array.of(0, 1);
  expect(rleBox(maskOf([10.2, 5.5, 30.7, 12.4], everywhere, prototypes, placement))).toEqual([10, 5, 31, 12]); // pixels whose centres lie in it
  expect(maskOf([10, 5, 10, 5], everywhere, prototypes, placement).counts).toEqual([3200]);
  expect(maskOf([0, 0, 80, 40], Float32Array.of(0, -1), prototypes, placement).counts).toEqual([3200]);
  expect(maskOf([0, 0, 80, 40], everywhere, prototypes, placement).counts).toEqual([0, 3200]);
});

test('keypoints come in pixels of the image', () => {
  expect(keypointsOf(Float32Array.of(20, 60, 0.5, 160, 0, 0.25), placement)).toEqual([
    { x: 10, y: 10, score: 0.5 },
    { x: 80, y: 0, score: 0.25 },
  ]);
});
