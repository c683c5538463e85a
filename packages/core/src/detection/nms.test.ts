import { expect, test } from 'vitest';
import { fromCxcywh } from './boxes.js';
import { readGoldens, unit } from './goldens.test-util.js';
import { nonMaxSuppression } from './nms.js';

interface BoxGoldens {
  nms: Record<string, number[]>;
  batched_nms: Record<string, number[]>;
}
interface Case {
  options: {
    conf_thres: number;
    iou_thres: number;
    agnostic?: boolean;
    multi_label?: boolean;
    max_det?: number;
    classes?: number[];
  };
  detections: number[][];
  count?: number;
}

/** As the goldens' `generation` says. */
function labelledBoxes(): { boxes: Float32Array; scores: Float32Array; classes: Int32Array } {
  const u = unit('boxes', 800);
  const boxes = Float32Array.from({ length: 800 }, (_, i) => {
    const [at, corner] = [i - (i % 4), i % 4];
    const start = 128 * (u[at + (corner % 2)] + 1);
    return corner < 2 ? start : start + 8 + 48 * (u[at + corner] + 1);
  });
  const scores = Float32Array.from(unit('scores', 200), (s) => (s + 1) / 2);
  return { boxes, scores, classes: Int32Array.from(unit('classes', 200), (c) => Math.floor(((c + 1) / 2) * 10)) };
}

test('suppression within one class and within several keeps what torchvision keeps, in its order', () => {
  const { boxes, scores, classes } = labelledBoxes();
  const spread = new Float32Array(2000);
  scores.forEach((score, i) => (spread[classes[i] * 200 + i] = score));
  const rules = { confidence: 0, maxDetections: Infinity };
  for (const { nms, batched_nms: batched } of readGoldens<BoxGoldens>('boxes', 'boxes')) {
    for (const [iou, expected] of Object.entries(nms)) {
      expect([...nonMaxSuppression({ boxes, scores }, 1, { ...rules, iou: Number(iou) }).indices]).toEqual(expected);
      const agnostic = nonMaxSuppression({ boxes, scores: spread }, 10, { ...rules, iou: Number(iou), classAgnostic: true });
      expect([...agnostic.indices]).toEqual(expected);
    }
    for (const [iou, expected] of Object.entries(batched)) {
      const kept = nonMaxSuppression({ boxes, scores: spread }, 10, { ...rules, iou: Number(iou) });
      expect([...kept.indices]).toEqual(expected);
      expect([...kept.classes]).toEqual(expected.map((i) => classes[i]));
    }
  }
});

/** As the goldens' `generation` says: 400 boxes, 80 classes. */
function predictions(): { boxes: Float32Array; scores: Float32Array } {
  const u = unit('pred_boxes', 1600);
  const boxes = new Float32Array(1600);
  for (let i = 0; i < 400; i++) {
    const [a, b, c, d] = u.subarray(4 * i, 4 * i + 4);
    const box = [320 + 160 * a, 320 + 160 * b, 20 + 100 * (c + 1), 20 + 100 * (d + 1)].map(Math.fround);
    boxes.set(fromCxcywh(box), 4 * i);
  }
  const scores = new Float32Array(32000);
  unit('pred_scores', 32000).forEach((s, i) => {
    scores[i] = ((s + 1) / 2) ** 40 * (i >= 5 * 400 ? 0.1 : 1);
  });
  return { boxes, scores };
}

test('the choices of Ultralytics give the detections that Ultralytics gives', () => {
  const candidates = predictions();
  for (const { cases } of readGoldens<{ cases: Case[] }>('nms', 'ultralytics_nms')) {
    for (const { options, detections, count = detections.length } of cases) {
      const kept = nonMaxSuppression(candidates, 80, {
        confidence: options.conf_thres,
        iou: options.iou_thres,
        maxDetections: options.max_det ?? 300,
        ...(options.agnostic && { classAgnostic: true }),
        ...(options.multi_label && { multiLabel: true }),
        ...(options.classes && { only: options.classes }),
      });
      const rows = Array.from(kept.indices, (index, i) => [
        ...candidates.boxes.subarray(index * 4, index * 4 + 4),
        kept.scores[i],
        kept.classes[i],
      ]);
      expect(rows).toHaveLength(count);
      // The fixture keeps the first three and the last two of long lists.
      const shown = rows.length === detections.length ? rows : [...rows.slice(0, 3), ...rows.slice(-2)];
      shown.forEach((row, i) =>
        row.forEach((value, k) => expect(Math.abs(value - detections[i][k])).toBeLessThan(k < 4 ? 1e-4 : 1e-6)),
      );
    }
  }
});

const pair = (overlap: number): Float32Array => Float32Array.of(0, 0, 10, 10, 10 - 10 * overlap, 0, 20 - 10 * overlap, 10);

test('of equal scores the first candidate stays, and overlap at the threshold is allowed', () => {
  const rules = { confidence: 0.1, maxDetections: 10 };
  const scores = Float32Array.of(0.5, 0.5);
  // Overlap of a half of each: IoU 1/3.
  expect([...nonMaxSuppression({ boxes: pair(0.5), scores }, 1, { ...rules, iou: 0.33 }).indices]).toEqual([0]);
  expect([...nonMaxSuppression({ boxes: pair(0.5), scores }, 1, { ...rules, iou: 0.34 }).indices]).toEqual([0, 1]);
});

test('the distance of the centres rescues a box in DIoU-NMS', () => {
  const scores = Float32Array.of(0.9, 0.8);
  const rules = { confidence: 0.1, iou: 0.3, maxDetections: 10 };
  // IoU 1/3; d² = 25, c² = 15² + 10²: DIoU = 1/3 − 25/325 = 0.256; with β = 0.6: 1/3 − 0.215 = 0.119.
  expect(nonMaxSuppression({ boxes: pair(0.5), scores }, 1, rules).indices).toHaveLength(1);
  expect(nonMaxSuppression({ boxes: pair(0.5), scores }, 1, { ...rules, diouBeta: 1 }).indices).toHaveLength(2);
  expect(nonMaxSuppression({ boxes: pair(0.5), scores }, 1, { ...rules, iou: 0.2, diouBeta: 0.6 }).indices).toHaveLength(2);
  expect(nonMaxSuppression({ boxes: pair(0.5), scores }, 1, { ...rules, iou: 0.2, diouBeta: 1 }).indices).toHaveLength(1);
});

test('only the best candidates take part', () => {
  const count = 500;
  const boxes = Float32Array.from({ length: count * 4 }, (_, i) => Math.floor(i / 4) * 10 + (i % 4 < 2 ? 0 : 5));
  const scores = Float32Array.from(unit('many', count), (s) => 0.6 + 0.3 * s);
  const best = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, 40);
  const kept = nonMaxSuppression({ boxes, scores }, 1, { confidence: 0.1, iou: 0.5, maxDetections: 300, maxCandidates: 40 });
  expect([...kept.indices]).toEqual(best);
});

test('no candidates give no detections', () => {
  const none = { boxes: new Float32Array(0), scores: new Float32Array(0) };
  expect(nonMaxSuppression(none, 80, { confidence: 0.25, iou: 0.7, maxDetections: 300 }).indices).toHaveLength(0);
  const weak = { boxes: pair(0), scores: Float32Array.of(0.25, 0.1) };
  expect(nonMaxSuppression(weak, 1, { confidence: 0.25, iou: 0.7, maxDetections: 300 }).indices).toHaveLength(0);
});

test('numbers that are none are errors that name the candidate, and so are lengths that do not fit', () => {
  const rules = { confidence: 0.25, iou: 0.7, maxDetections: 300 };
  const boxes = pair(0);
  const scores = Float32Array.of(0.9, NaN);
  expect(() => nonMaxSuppression({ boxes, scores }, 1, rules)).toThrow('the score of candidate 1 is not a number');
  expect(() => nonMaxSuppression({ boxes, scores }, 1, { ...rules, multiLabel: true })).toThrow('the score of candidate 1');
  boxes[2] = NaN;
  expect(() => nonMaxSuppression({ boxes, scores: Float32Array.of(0.9, 0) }, 1, rules)).toThrow('the box of candidate 0');
  expect(() => nonMaxSuppression({ boxes, scores }, 3, rules)).toThrow('2 boxes and 3 classes need 6 scores, found 2');
});
