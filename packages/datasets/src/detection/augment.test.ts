import { type Image, Random } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';
import { describe, expect, test } from 'vitest';
import { drawAffine, fitMatrix, warp } from './affine.js';
import { augment } from './augment.js';
import { completeAugmentation } from './augmentation.js';
import { blend, drawBlend, jitterColours } from './colour.js';
import { flip } from './flip.js';
import { type Labelled, moveObjects } from './labelled.js';
import { toLabels } from './labels.js';

/** A black image with one white rectangle, its box, its outline and its four corners as joints. */
function rectangle(width: number, height: number, [x1, y1, x2, y2]: readonly [number, number, number, number]): Labelled {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = y1; y < y2; y++) pixels.fill(255, (y * width + x1) * 3, (y * width + x2) * 3);
  const corners = [x1, y1, x2, y1, x2, y2, x1, y2];
  const keypoints = [0, 1, 2, 3].map((i) => ({ x: corners[2 * i], y: corners[2 * i + 1], visibility: 2 as const }));
  return { image: { pixels, width, height }, objects: [{ class: 0, box: [x1, y1, x2, y2], segmentation: [corners], keypoints }] };
}

/** The box around all pixels that are brighter than the grey of the border. */
function whiteBox({ pixels, width, height }: Image): number[] {
  const box = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (pixels[(y * width + x) * 3] < 185) continue;
      box.splice(0, 4, Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x + 1), Math.max(box[3], y + 1));
    }
  }
  return box;
}

const size = { width: 96, height: 64 };

function expectBoxFollows({ image, objects }: Labelled, within = 1.01): void {
  expect(objects).toHaveLength(1);
  whiteBox(image).forEach((side, i) => expect(Math.abs(side - objects[0].box[i])).toBeLessThan(within));
}

describe('boxes follow the pixels', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('through a turn, a size and a shear, seed %i', (seed) => {
    const from = rectangle(120, 90, [40, 30, 90, 62]);
    const ranges = { translate: 0.1, scale: 0.4, degrees: 25, shear: 8 };
    const { matrix, factor } = drawAffine(new Random(seed), from.image, size, ranges);
    expectBoxFollows(warp(from, matrix, { ...size, factor }));
  });

  test('through the fit into another size', () => {
    const from = rectangle(50, 80, [10, 20, 30, 70]);
    const fitted = warp(from, fitMatrix(from.image, size), size);
    expectBoxFollows(fitted);
    expect(fitted.objects[0].box).toEqual([36, 16, 52, 56]);
  });

  test('through a mirror, where joints change their names', () => {
    const mirrored = flip(rectangle(60, 40, [5, 8, 25, 30]), [1, 0, 3, 2]);
    expectBoxFollows(mirrored);
    expect(mirrored.objects[0].keypoints?.map(({ x, y }) => [x, y])).toEqual([
      [35, 8],
      [55, 8],
      [55, 30],
      [35, 30],
    ]);
  });

  test('through a mosaic and all that comes after it', async () => {
    const options = completeAugmentation({ hsv: [0, 0, 0] });
    const empty: Labelled = { image: rectangle(70, 90, [0, 0, 1, 1]).image, objects: [] };
    empty.image.pixels.fill(0);
    let found = 0;
    for (let seed = 0; seed < 24; seed++) {
      const result = await augment(
        rectangle(80, 60, [20, 12, 60, 48]),
        () => Promise.resolve(empty),
        new Random(seed),
        size,
        options,
        true,
      );
      expect([result.image.width, result.image.height]).toEqual([96, 64]);
      if (result.objects.length === 0) continue; // it lies outside, or all but
      found++;
      expectBoxFollows(result, 1.6);
    }
    expect(found).toBeGreaterThan(8);
  });
});

describe('objects after a move', () => {
  const object = (box: GroundTruth['box']): GroundTruth => ({ class: 1, box });
  const stay = (x: number, y: number): [number, number] => [x, y];

  test('are cut off at the edges', () => {
    const [moved] = moveObjects([object([-10, 10, 50, 90])], stay, size);
    expect(moved).toEqual({ class: 1, box: [0, 10, 50, 64] });
  });

  test('are left out when little is left of them', () => {
    const gone = [object([90, 10, 190, 60]), object([10, 10, 11.5, 60]), object([-50, -50, -10, -10]), object([5, 5, 5, 5])];
    expect(moveObjects(gone, stay, size)).toEqual([]);
    expect(moveObjects([object([80, 10, 190, 60])], stay, size)).toHaveLength(1);
  });

  test('are drawn around the part of the outline that is inside, not around its corners', () => {
    const triangle: GroundTruth = { class: 0, box: [40, -40, 80, 40], segmentation: [[40, 40, 80, 40, 60, -40]] };
    const [{ box, segmentation }] = moveObjects([triangle], stay, size);
    expect(box).toEqual([40, 0, 80, 40]);
    expect((segmentation as number[][])[0]).toEqual([50, 0, 40, 40, 80, 40, 70, 0]);
  });

  test('have no joints outside of the image', () => {
    const keypoints = [
      { x: 10, y: 10, visibility: 2 as const },
      { x: 97, y: 10, visibility: 2 as const },
    ];
    const [{ keypoints: moved }] = moveObjects([{ ...object([0, 0, 96, 64]), keypoints }], stay, size);
    expect(moved?.map(({ visibility }) => visibility)).toEqual([2, 0]);
  });
});

describe('colours', () => {
  const image = (...pixels: number[]): Image => ({ pixels: Uint8Array.from(pixels), width: pixels.length / 3, height: 1 });

  test('do not change without a gain', () => {
    const same = image(10, 200, 90, 0, 0, 0, 255, 255, 255);
    jitterColours(new Random(1), same, [0, 0, 0]);
    expect([...same.pixels]).toEqual([10, 200, 90, 0, 0, 0, 255, 255, 255]);
  });

  test('keep grey grey, and the brightest channel when only hue and saturation change', () => {
    for (let seed = 0; seed < 20; seed++) {
      const changed = image(80, 80, 80, 200, 120, 40);
      jitterColours(new Random(seed), changed, [0.1, 0.7, 0]);
      expect([...changed.pixels.subarray(0, 3)]).toEqual([80, 80, 80]);
      expect(Math.max(...changed.pixels.subarray(3))).toBe(200);
    }
  });

  test('turn by the factor of the hue: a sixth of a turn takes yellow from 60° up', () => {
    // hue 60° · 1.5 = 90°: halfway from yellow to green
    const random = { uniform: (low: number, high: number) => (high > 0.4 ? 0.5 : (low + high) / 2) } as Random;
    const yellow = image(200, 200, 0);
    jitterColours(random, yellow, [0.5, 0, 0]);
    expect([...yellow.pixels]).toEqual([100, 200, 0]);
  });

  test('of mixed images are weighted means, by about one half', () => {
    expect([...blend(image(0, 100, 200), image(100, 100, 0), 0.25).pixels]).toEqual([75, 100, 50]);
    const drawn = Array.from({ length: 400 }, (_, i) => drawBlend(new Random(i)));
    const mean = drawn.reduce((a, b) => a + b) / 400;
    const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 400;
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / (4 * 65), 3); // that of Beta(32, 32)
  });
});

test('labels hold boxes, masks with the smallest object on top, and joints', () => {
  const big: GroundTruth = { class: 2, box: [0, 0, 16, 16], segmentation: [[0, 0, 16, 0, 16, 16, 0, 16]] };
  const small = rectangle(16, 16, [4, 4, 12, 8]).objects[0];
  const labels = toLabels([small, big], { width: 16, height: 16, masks: true, joints: 4 });
  expect([...labels.boxes]).toEqual([4, 4, 12, 8, 0, 0, 16, 16]);
  expect([...labels.classes]).toEqual([0, 2]);
  expect([...labels.mask!]).toEqual([2, 2, 2, 2, 2, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
  expect([...labels.keypoints!.slice(0, 6)]).toEqual([4, 4, 2, 12, 4, 2]);
  expect([...labels.keypoints!.slice(12)]).toEqual(new Array(12).fill(0));
  expect(() => toLabels([{ class: 0, box: [0, 0, 4, 4] }], { width: 16, height: 16, masks: true })).toThrow(
    'outline of object 0',
  );
});

test('settings out of range are refused', () => {
  expect(() => completeAugmentation({ mosaic: 1.5 })).toThrow('expected mosaic in 0 … 1, found 1.5');
  expect(() => completeAugmentation({ hsv: [0, 2, 0] })).toThrow('expected hsv in 0 … 1, found 0, 2, 0');
});
