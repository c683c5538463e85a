import { expect, test } from 'vitest';
import { ciou, clipBox, diou, fromCxcywh, fromXywh, giou, iou, toCxcywh, toXywh } from './boxes.js';
import { type ValueRecord, expectValues, readGoldens, unit } from './goldens.test-util.js';

interface Goldens {
  pairwise: Record<'box_iou' | 'generalized_box_iou' | 'distance_box_iou' | 'complete_box_iou', ValueRecord>;
  cxcywh: number[][];
  xywh: number[][];
  convert?: { xywh: number[][]; cxcywh: number[][] };
  clip_to_200x180: number[][];
}
const goldens = readGoldens<Goldens>('boxes', 'boxes');

const u = unit('boxes', 800);
const v = unit('boxes2', 800);
/** As the goldens' `generation` says; coordinates are rounded to float32. */
const boxes = Array.from({ length: 200 }, (_, i) => {
  const [x, y, w, h] = [128 * (u[4 * i] + 1), 128 * (u[4 * i + 1] + 1), 8 + 48 * (u[4 * i + 2] + 1), 8 + 48 * (u[4 * i + 3] + 1)];
  return [x, y, x + w, y + h];
});
const others = boxes.map(([x1, y1, x2, y2], i) => {
  const [x, y] = [x1 + 24 * v[4 * i], y1 + 24 * v[4 * i + 1]];
  return [x, y, x + (x2 - x1) * (1 + 0.5 * v[4 * i + 2]), y + (y2 - y1) * (1 + 0.5 * v[4 * i + 3])];
});
const rounded = (list: number[][]): number[][] => list.map((box) => box.map(Math.fround));

test.each([
  ['iou', iou, 'box_iou'],
  ['giou', giou, 'generalized_box_iou'],
  ['diou', diou, 'distance_box_iou'],
  ['ciou', ciou, 'complete_box_iou'],
] as const)('%s of all pairs is what torchvision gives', (_, overlap, name) => {
  const all = rounded(boxes).flatMap((a) => rounded(others).map((b) => overlap(a, b)));
  for (const { pairwise } of goldens) expectValues(all, pairwise[name], 2e-6);
});

test('boxes are converted as torchvision converts them, and back', () => {
  for (const golden of goldens) {
    const { xywh, cxcywh } = golden.convert ?? golden;
    cxcywh.forEach((expected, i) => {
      const box = rounded(boxes)[i];
      expect(toCxcywh(box as never).every((value, k) => Math.abs(value - expected[k]) < 1e-4)).toBe(true);
      expect(toXywh(box as never).every((value, k) => Math.abs(value - xywh[i][k]) < 1e-4)).toBe(true);
      for (const back of [fromCxcywh(toCxcywh(box)), fromXywh(toXywh(box))]) {
        expect(back.every((value, k) => Math.abs(value - box[k]) < 1e-9)).toBe(true);
      }
    });
  }
});

test('boxes are cut off at the edges of the image', () => {
  for (const golden of goldens) {
    golden.clip_to_200x180.forEach((expected, i) => {
      const clipped = clipBox(rounded(boxes)[i], { width: 180, height: 200 });
      expect(clipped.every((value, k) => Math.abs(value - expected[k]) < 1e-4)).toBe(true);
    });
  }
});

test('boxes without area overlap nothing, and nothing is not a number', () => {
  const point = [5, 5, 5, 5];
  for (const overlap of [iou, giou, diou, ciou]) {
    expect(overlap(point, [0, 0, 10, 10])).toBeLessThanOrEqual(0);
    expect(Number.isFinite(overlap(point, point))).toBe(true);
  }
});
