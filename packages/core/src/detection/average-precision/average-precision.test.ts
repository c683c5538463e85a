import { describe, expect, test } from 'vitest';
import type { Detection, GroundTruth } from '../types.js';
import { readStored, toImages } from './__fixtures__/read.js';
import { averagePrecision } from './average-precision.js';
import type { AveragePrecisionResult } from './average-precision.js';

describe.each(['bbox_1', 'bbox_2', 'segm_1', 'segm_2', 'keypoints_1', 'keypoints_2'])(
  '%s: the figures of pycocotools',
  (name) => {
    const stored = readStored(name);
    const evaluation = averagePrecision({ classes: stored.gt.categories.map((category) => category.name), type: stored.kind });
    // Not in the order of the ids, which must have no influence.
    for (const { id, detections, objects } of toImages(stored).reverse()) evaluation.add(id, detections, objects);
    const result = evaluation.result();

    test('AP and AR over thresholds, sizes and numbers of detections', () => {
      const found = Object.values(result.summary);
      expect(found.length).toBe(stored.expect.stats.length);
      found.forEach((value, i) => expect(value).toBeCloseTo(stored.expect.stats[i], 9));
    });

    test('AP of every class', () => {
      const expected = Object.values(stored.expect.ap_per_category);
      result.perClass.forEach(({ ap }, i) => expect(ap).toBeCloseTo(expected[i], 9));
    });

    test('the arrays of precision and recall', () => {
      const sum = (values: Float64Array): number => values.filter((value) => value > -1).reduce((a, b) => a + b, 0);
      expect(result.precision.filter((value) => value > -1).length).toBe(stored.expect.precision_count);
      expect(sum(result.precision) / stored.expect.precision_sum).toBeCloseTo(1, 9);
      expect(sum(result.recall) / stored.expect.recall_sum).toBeCloseTo(1, 9);
    });

    test('a curve of precision for each class with objects, whose mean is its AP50', () => {
      const present = result.perClass.filter(({ objects }) => objects > 0);
      expect(result.curves.map(({ label }) => label)).toEqual(present.map(({ label }) => label));
      result.curves.forEach(({ precision }, i) =>
        expect(precision.reduce((a, b) => a + b) / 101).toBeCloseTo(present[i].ap50, 12),
      );
    });
  },
);

/** 1 up to rounding: the reference adds the smallest number to what it divides by. */
const one: unknown = expect.closeTo(1, 12);
const detection = (score: number, box: Detection['box'], c = 0): Detection => ({ class: c, label: 'a', score, box });
const truth = (box: Detection['box'], more: Partial<GroundTruth> = {}): GroundTruth => ({ class: 0, box, ...more });
function evaluate(detections: readonly Detection[], objects: readonly GroundTruth[]): AveragePrecisionResult {
  const evaluation = averagePrecision({ classes: ['a', 'b'] });
  evaluation.add(1, detections, objects);
  return evaluation.result();
}

test('without images or objects every figure is −1', () => {
  const evaluation = averagePrecision({ classes: ['a'] });
  expect(new Set(Object.values(evaluation.result().summary))).toEqual(new Set([-1]));
  evaluation.add(1, [detection(0.9, [0, 0, 10, 10])], []);
  expect(evaluation.result()).toMatchObject({ images: 1, summary: { ap: -1, ar100: -1 }, curves: [] });
});

test('an object that nobody finds gives 0', () => {
  expect(evaluate([], [truth([0, 0, 10, 10])])).toMatchObject({ summary: { ap: 0, ar100: 0, apLarge: -1 } });
});

test('an object found is 1, in its class and size alone', () => {
  const { summary, perClass } = evaluate([detection(0.3, [0, 0, 50, 50])], [truth([0, 0, 50, 50])]);
  expect(summary).toMatchObject({ ap50: one, apSmall: -1, apMedium: one, apLarge: -1 });
  expect(perClass[0]).toMatchObject({ label: 'a', ap: one, objects: 1, detections: 1 });
  expect(perClass[1]).toMatchObject({ label: 'b', ap: -1, objects: 0, detections: 0 });
});

test('a crowd takes any number of detections, and an ignored object one; neither is counted', () => {
  const inside = [0.9, 0.8, 0.7].map((score, i) => detection(score, [10 * i, 0, 10 * i + 10, 10]));
  const right = detection(0.6, [0, 50, 20, 70]);
  const objects = [truth([0, 50, 20, 70]), truth([0, 0, 100, 40], { crowd: true })];
  expect(evaluate([...inside, right], objects).summary.ap).toBeCloseTo(1, 12);
  const hard = [truth([0, 50, 20, 70]), truth([0, 0, 10, 10], { ignore: true })];
  expect(evaluate([inside[0], right], hard).summary.ap).toBeCloseTo(1, 12);
  expect(evaluate([inside[0], inside[0], right], hard).summary.ap).toBeCloseTo(0.5, 12);
});

test('of two objects that a detection overlaps alike it takes the later one', () => {
  const objects = [truth([0, 0, 10, 10]), truth([0, 5, 10, 15])];
  const found = [detection(0.9, [0, 2.5, 10, 12.5]), detection(0.8, [0, 0, 10, 10])];
  expect(evaluate(found, objects).summary).toMatchObject({
    ap50: one,
    ar100: expect.closeTo((3 * 1 + 7 * 0.5) / 10, 12) as number,
  });
  // The first takes what the second needs: a recall of one half.
  expect(evaluate(found, objects.reverse()).summary.ap50).toBeCloseTo(51 / 101, 12);
});

test('equal scores are taken in the order of image ids, whatever the order of adding', () => {
  const run = (ids: readonly number[]): number => {
    const evaluation = averagePrecision({ classes: ['a'] });
    for (const id of ids) evaluation.add(id, [detection(0.5, [0, 0, 10, 10])], id === 2 ? [truth([0, 0, 10, 10])] : []);
    return evaluation.result().summary.ap;
  };
  expect(run([2, 10])).toBeCloseTo(1, 12);
  expect(run([10, 2])).toBeCloseTo(1, 12);
  expect(run([1, 2])).toBeCloseTo(0.5, 12);
});

test('a width with decimals keeps its side of a limit', () => {
  // 0.01 + 32 − 0.01 is below 32 in binary numbers.
  const [x1, x2] = [0.01, 0.01 + 32];
  expect(x2 - x1).not.toBe(32);
  const { summary } = evaluate([detection(0.9, [x1, 0, x2, 32])], [truth([x1, 0, x2, 32])]);
  expect([summary.apSmall, summary.apMedium]).toEqual([one, one]);
});

test('what cannot be evaluated is refused with the id of its image, and nothing of the image counts', () => {
  const evaluation = averagePrecision({ classes: ['a', 'b'] });
  const box = [0, 0, 1, 1] as const;
  evaluation.add('x.jpg', [], [truth(box)]);
  const refused: [readonly Detection[], readonly GroundTruth[], string][] = [
    [[detection(NaN, box)], [], 'image 7: detection 0 has the score NaN'],
    [[detection(0.5, [0, 0, NaN, 1])], [], 'image 7: detection 0 has the box [0, 0, NaN, 1]'],
    [[detection(0.5, box), detection(0.5, [5, 0, 1, 1])], [], 'image 7: detection 1 has the box [5, 0, 1, 1]'],
    [[detection(0.5, box, 2)], [], 'image 7: detection 0 has the class 2; expected one of 0 … 1'],
    [[], [truth(box, { class: -1, id: 42 })], 'image 7: object 0 (annotation 42) has the class -1'],
    [[], [truth(box, { area: NaN })], 'image 7: object 0 has the area NaN'],
  ];
  for (const [detections, objects, message] of refused) expect(() => evaluation.add(7, detections, objects)).toThrow(message);
  expect(() => evaluation.add('x.jpg', [], [])).toThrow('image x.jpg: it was added before');
  expect(evaluation.result()).toMatchObject({ images: 1, perClass: [{ objects: 1, detections: 0 }, { objects: 0 }] });
});

test('masks and keypoints that are missing, or are of another size, are refused', () => {
  const rle = { size: [2, 2], counts: [0, 4] } as const;
  const masks = averagePrecision({ classes: ['a'], type: 'segm' });
  const box = [0, 0, 2, 2] as const;
  expect(() => masks.add(3, [detection(1, box)], [])).toThrow(
    "image 3: detection 0 has no mask; evaluate its box with the type 'bbox'",
  );
  expect(() => masks.add(3, [{ ...detection(1, box), mask: rle }], [truth(box)])).toThrow(
    'image 3: object 0 has no segmentation',
  );
  const other = truth(box, { segmentation: { size: [3, 2], counts: [0, 6] } });
  expect(() => masks.add(3, [{ ...detection(1, box), mask: rle }], [other])).toThrow('must have one size, found 2×2 and 3×2');
  const poses = averagePrecision({ classes: ['a'], type: 'keypoints' });
  expect(() => poses.add(3, [detection(1, box)], [])).toThrow(
    'image 3: detection 0: expected 17 keypoints, one for each sigma, found none',
  );
});

test('poses of another skeleton are evaluated with the sigmas that are given', () => {
  const evaluation = averagePrecision({ classes: ['a'], type: 'keypoints', sigmas: [0.1, 0.1] });
  const points = [
    { x: 1, y: 2, score: 1, visibility: 2 },
    { x: 3, y: 5, score: 1, visibility: 1 },
  ] as const;
  evaluation.add(1, [{ ...detection(1, [0, 0, 40, 40]), keypoints: points }], [truth([0, 0, 40, 40], { keypoints: points })]);
  expect(evaluation.result().summary).toMatchObject({
    ap: one,
    ar: 1,
    apMedium: one,
    apLarge: -1,
  });
  expect(() => averagePrecision({ classes: ['a'], type: 'keypoints', sigmas: [0.1, 0] })).toThrow('expected sigmas above 0');
});
