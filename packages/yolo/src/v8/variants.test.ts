import { expect, test } from 'vitest';
import { v8Classifiers, v8Detectors } from './variants.js';

/** Elements of all parameters; those of the five detectors are the published ones. */
const parameters: Record<string, number> = {
  ...{ yolov8n: 3157200, yolov8s: 11166560, yolov8m: 25902640, yolov8l: 43691520, yolov8x: 68229648 },
  ...{ 'yolov8n-seg': 3409968, 'yolov8s-seg': 11821056, 'yolov8m-seg': 27285968 },
  ...{ 'yolov8l-seg': 45997728, 'yolov8x-seg': 71827888 },
  ...{ 'yolov8n-pose': 3295470, 'yolov8s-pose': 11626046, 'yolov8m-pose': 26464462 },
  ...{ 'yolov8l-pose': 44489196, 'yolov8x-pose': 69491724 },
  ...{
    'yolov8n-cls': 2719288,
    'yolov8s-cls': 6361736,
    'yolov8m-cls': 17053336,
    'yolov8l-cls': 37480744,
    'yolov8x-cls': 57422840,
  },
};

test.each([...v8Detectors, ...v8Classifiers])('$info.name has the known number of parameters', (factory) => {
  const sizes = [...factory().parameters()].map(([, { size }]) => size);
  expect(sizes.reduce((a, b) => a + b, 0)).toBe(parameters[factory.info.name]);
});

test('every variant is counted', () => {
  expect([...v8Detectors, ...v8Classifiers].map(({ info }) => info.name).sort()).toEqual(Object.keys(parameters).sort());
});
