import { expect, test } from 'vitest';
import { cocoClasses } from '@convkit/core';
import type { Detection } from '@convkit/core/detection';
import { cocoCategoryIds, matchClasses } from './coco-classes.js';
import { detectionsFromCoco, detectionsToCoco } from './coco-results.js';

const coco = { classes: cocoClasses, categoryIds: cocoCategoryIds };
const detection: Detection = {
  class: 72,
  label: 'refrigerator',
  score: 0.92731,
  box: [6.222, 166.239, 6.222 + 148.28, 166.239 + 95.672],
  mask: { size: [4, 3], counts: [2, 3, 7] },
  keypoints: [
    { x: 1.5, y: 2, score: 0.5 },
    { x: 9, y: 8, score: 0.25 },
  ],
};

test('results have what their type is evaluated by, with the decimals that were read', () => {
  const common = { image_id: 139, category_id: 82, score: 0.92731 };
  expect(detectionsToCoco(139, [detection], cocoCategoryIds)).toEqual([{ ...common, bbox: [6.222, 166.239, 148.28, 95.672] }]);
  expect(detectionsToCoco(139, [detection], cocoCategoryIds, 'segm')).toEqual([
    { ...common, segmentation: { size: [4, 3], counts: '237' } },
  ]);
  expect(detectionsToCoco(139, [detection], cocoCategoryIds, 'keypoints')).toEqual([
    { ...common, keypoints: [1.5, 2, 0.5, 9, 8, 0.25] },
  ]);
});

test('results become the detections of their images', () => {
  const { keypoints, mask, ...boxed } = detection;
  const read = (type: 'bbox' | 'segm' | 'keypoints') =>
    detectionsFromCoco(detectionsToCoco(139, [detection, detection], cocoCategoryIds, type), coco).get(139)?.[1];
  expect(read('bbox')).toEqual(boxed);
  expect(read('segm')).toEqual({ ...boxed, box: [0, 0, 0, 0], mask });
  expect(read('keypoints')).toEqual({ ...boxed, box: [1.5, 2, 9, 8], keypoints });
});

test('what is missing is named', () => {
  expect(() => detectionsToCoco(5, [{ ...detection, class: 80 }], cocoCategoryIds)).toThrow(
    'image 5: detection 0 has the class 80; expected one of 0 … 79',
  );
  expect(() => detectionsToCoco(5, [{ ...detection, mask: undefined }], cocoCategoryIds, 'segm')).toThrow(
    'image 5: detection 0 has no mask',
  );
  expect(() => detectionsToCoco(5, [{ ...detection, keypoints: undefined }], cocoCategoryIds, 'keypoints')).toThrow(
    'has no keypoints',
  );
  expect(() => detectionsFromCoco([{ image_id: 1, category_id: 12, score: 1 }], coco)).toThrow(
    'result 0 (image 1): there is no category with the id 12',
  );
  expect(() => detectionsFromCoco([{ image_id: 1, category_id: 1, score: 1 }], coco)).toThrow(
    'expected bbox, segmentation or keypoints',
  );
});

test('the 80 classes have category ids up to 90', () => {
  expect([cocoCategoryIds.length, cocoCategoryIds[0], cocoCategoryIds[11], cocoCategoryIds[79]]).toEqual([80, 1, 13, 90]);
  expect(cocoCategoryIds[cocoClasses.indexOf('toilet')]).toBe(70);
});

test("Darknet's names are those of COCO, other names have no place", () => {
  const names = ['Person', 'aeroplane', 'tvmonitor', 'sofa', 'pottedplant', 'diningtable', 'motorbike', 'hot_dog', 'dragon'];
  expect(matchClasses(names, cocoClasses).map((i) => cocoClasses[i])).toEqual([
    'person',
    'airplane',
    'tv',
    'couch',
    'potted plant',
    'dining table',
    'motorcycle',
    'hot dog',
    undefined,
  ]);
  expect(matchClasses(['tv'], ['cat', 'tvmonitor'])).toEqual([1]);
});
