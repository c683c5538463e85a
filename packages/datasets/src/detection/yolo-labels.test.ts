import { expect, test } from 'vitest';
import { parseYoloLabels, yoloObject } from './yolo-labels.js';

const read = (text: string, more = {}) => parseYoloLabels(text, 'labels/1.txt', { numClasses: 3, ...more });

test('boxes and outlines are read, in shares of the image', () => {
  const labels = read('0 0.5 0.5 0.5 0.25\r\n\n  2 0.25 0.25 0.75 0.25 0.5 1\n');
  expect(labels).toEqual([
    { class: 0, box: [0.25, 0.375, 0.75, 0.625] },
    { class: 2, box: [0.25, 0.25, 0.75, 1], polygon: [0.25, 0.25, 0.75, 0.25, 0.5, 1] },
  ]);
  expect(labels.map((label) => yoloObject(label, 200, 80))).toEqual([
    { class: 0, box: [50, 30, 150, 50] },
    { class: 2, box: [50, 20, 150, 80], segmentation: [[50, 20, 150, 20, 100, 80]] },
  ]);
  expect([read(''), read('\n\n')]).toEqual([[], []]);
});

test('poses have the keypoints that their shape says', () => {
  const [pose] = read('1 0.5 0.5 0.5 0.5 0.25 0.75 2 0 0 0', { keypointShape: [2, 3] });
  expect(yoloObject(pose, 100, 100).keypoints).toEqual([
    { x: 25, y: 75, visibility: 2 },
    { x: 0, y: 0, visibility: 0 },
  ]);
  const [flat] = read('1 0.5 0.5 0.5 0.5 0.25 0.75 0 0', { keypointShape: [2, 2] });
  expect(flat.keypoints?.map(({ visibility }) => visibility)).toEqual([2, 0]);
});

const broken: [line: string, message: string, more?: object][] = [
  ['3 0.5 0.5 0.1 0.1', 'labels/1.txt:2: expected a class of 0 … 2, found 3'],
  ['-1 0.5 0.5 0.1 0.1', 'found -1'],
  ['0.5 0.5 0.5 0.1 0.1', 'expected a class of 0 … 2, found 0.5'],
  ['0 0.5 0.5 0.1', 'labels/1.txt:2: expected a class, 4 numbers of the box, or three points or more, found 4 numbers'],
  ['0', 'found 1 numbers'],
  ['0 0.5 0.5 0.1 0.1 0.9', 'found 6 numbers'],
  ['0 0.1 0.1 0.2 0.2 0.3 0.3 0.4', 'found 8 numbers'],
  ['0 0.5 0.5 nan 0.1', 'labels/1.txt:2: expected numbers, found "nan"'],
  ['cat 0.5 0.5 0.1 0.1', 'expected numbers, found "cat"'],
  ['0,0.5,0.5,0.1,0.1', 'expected numbers, found "0,0.5,0.5,0.1,0.1"'],
  ['0 0.5 0.5 1e999 0.1', 'expected numbers, found "1e999"'],
  ['0 320 240 50 60', 'expected shares of the image in 0 … 1, found 320; divide pixels by its width and height'],
  ['0 0.5 0.5 0.1 -0.001', 'expected a width and height of 0 or more, found 0.1 and -0.001'],
  [
    '0 0.5 0.5 0.1 0.1 0.1 0.1 0.1 0.1',
    'expected a class, 4 numbers of the box and 2 keypoints of 3 numbers, found 9',
    { keypointShape: [2, 3] },
  ],
  ['0 0.5 0.5 0.1 0.1 0.1 0.1 5', 'expected the visibility of keypoint 0 to be 0, 1 or 2, found 5', { keypointShape: [1, 3] }],
];

test.each(broken)('%j is refused with its line', (line, message, more) => {
  expect(() => read(`\n${line}\n`, more)).toThrow(message);
});
