import { expect, test } from 'vitest';
import type { Box, Detection, GroundTruth } from '../types.js';
import { detectionConfusion } from './confusion.js';

const found = (c: number, score: number, box: Box): Detection => ({ class: c, label: '', score, box });
const [left, right, far]: Box[] = [
  [0, 0, 10, 10],
  [20, 0, 30, 10],
  [50, 50, 60, 60],
];

test('pairs are counted by both classes; misses and false alarms against the background', () => {
  const confusion = detectionConfusion({ classes: ['cat', 'dog'] });
  const objects: GroundTruth[] = [
    { class: 0, box: left },
    { class: 1, box: right },
  ];
  confusion.add(1, [found(0, 0.9, left), found(0, 0.8, right), found(1, 0.7, far), found(1, 0.2, left)], objects);
  confusion.add(2, [], objects);
  expect(confusion.result()).toEqual({
    classes: ['cat', 'dog', 'background'],
    counts: [
      [1, 0, 1],
      [1, 0, 1],
      [0, 1, 0],
    ],
  });
});

test('the box that overlaps most gets the object, and the other one is a false alarm', () => {
  const confusion = detectionConfusion({ classes: ['cat', 'dog'] });
  confusion.add(1, [found(1, 0.9, [0, 0, 10, 8]), found(0, 0.3, left)], [{ class: 0, box: left }]);
  expect(confusion.result().counts).toEqual([
    [1, 0, 0],
    [0, 0, 0],
    [0, 1, 0],
  ]);
});

test('crowds and ignored objects count nowhere, nor does what overlaps them', () => {
  const confusion = detectionConfusion({ classes: ['cat', 'dog'] });
  const objects: GroundTruth[] = [
    { class: 0, box: [0, 0, 40, 40], crowd: true },
    { class: 1, box: far, ignore: true },
  ];
  confusion.add(1, [found(0, 0.9, left), found(1, 0.9, right), found(0, 0.9, far)], objects);
  expect(confusion.result().counts.flat()).toEqual(new Array(9).fill(0));
});

test('what is broken is refused with the id of its image', () => {
  const confusion = detectionConfusion({ classes: ['cat'] });
  expect(() => confusion.add(5, [found(0, NaN, left)], [])).toThrow('image 5: detection 0 has the score NaN');
});
