import { expect, test } from 'vitest';
import { maskToRle } from '../rle.js';
import type { Detection } from '../types.js';
import { classColours } from './colours.js';
import { type Canvas2D, drawDetections } from './draw.js';
import { type Rectangle, placeLabel } from './labels.js';
import { outlines } from './outline.js';
import { personSkeleton } from './skeleton.js';

/** Enough of a canvas to see what is drawn on it. */
class RecordingCanvas {
  readonly calls: [name: string, ...values: unknown[]][] = [];
  fillStyle = '';
  strokeStyle = '';
  lineWidth = 0;
  font = '';
  measureText = (text: string) => ({ width: text.length * 10 });

  constructor() {
    for (const name of [
      'save',
      'restore',
      'beginPath',
      'closePath',
      'moveTo',
      'lineTo',
      'arc',
      'fill',
      'stroke',
      'fillRect',
      'strokeRect',
      'fillText',
    ]) {
      Object.assign(this, { [name]: (...values: unknown[]) => void this.calls.push([name, ...values]) });
    }
  }

  named(name: string): unknown[][] {
    return this.calls.filter(([called]) => called === name).map(([, ...values]) => values);
  }
}

const draw = (detections: readonly Detection[], width = 640, height = 480): RecordingCanvas => {
  const canvas = new RecordingCanvas();
  drawDetections(canvas as unknown as Canvas2D, detections, { width, height });
  return canvas;
};

const cat: Detection = { class: 15, label: 'cat', score: 0.876, box: [100, 100, 300, 200] };

test('a box and its label are drawn, with the score in two digits', () => {
  const canvas = draw([cat]);
  expect(canvas.named('strokeRect')).toContainEqual([100, 100, 200, 100]);
  expect(canvas.named('fillText').map(([text]) => text)).toEqual(['cat 0.88']);
  expect(draw([]).calls.map(([name]) => name)).toEqual(['save', 'restore']);
});

test('lines and letters grow with the picture', () => {
  const [small, large] = [draw([cat]), draw([cat], 2560, 1920)];
  expect(large.lineWidth / small.lineWidth).toBeCloseTo(4, 5);
  expect(Number(/(\d+(\.\d+)?)px/.exec(large.font)![1]) / Number(/(\d+(\.\d+)?)px/.exec(small.font)![1])).toBeCloseTo(4, 5);
});

test('of a pose, joints are drawn that the net is sure of, and the bones between them', () => {
  const keypoints = Array.from({ length: 17 }, (_, i) => ({ x: i * 10, y: i * 5, score: i < 15 ? 0.9 : 0.1 }));
  const canvas = draw([{ ...cat, keypoints }]);
  expect(canvas.named('arc')).toHaveLength(15);
  const bones = personSkeleton.filter(([a, b]) => a < 15 && b < 15);
  expect(bones).toHaveLength(14);
  expect(canvas.named('moveTo')).toHaveLength(2 * bones.length); // a dark edge, and the line
});

test('a mask is filled inside of its outline', () => {
  const mask = maskToRle(Uint8Array.of(0, 1, 1, 0, 0, 1, 1, 0), [2, 4]);
  const canvas = draw([{ ...cat, mask }]);
  expect(canvas.named('moveTo')).toEqual([[3, 0]]);
  expect(canvas.named('lineTo')).toEqual([[3, 2], [1, 2], [1, 0]]); // prettier-ignore
  expect(canvas.named('fill')).toEqual([['evenodd']]);
});

/** Twice the area on the right of a closed line. */
const doubled = (line: readonly number[]): number => {
  let sum = 0;
  for (let i = 0; i < line.length; i += 2) {
    const [x, y, nextX, nextY] = [line[i], line[i + 1], line[(i + 2) % line.length], line[(i + 3) % line.length]];
    sum += x * nextY - nextX * y;
  }
  return sum;
};

test('outlines go around parts and holes, and enclose as many pixels as the mask has', () => {
  const rows = ['11111.1', '1...1.1', '1.1.1..', '1...111', '11111.1'];
  const mask = Uint8Array.from(rows.join(''), (cell) => (cell === '1' ? 1 : 0));
  const lines = outlines(maskToRle(mask, [5, 7]));
  expect(lines).toHaveLength(4); // ring, its hole, the pixel in it, the part on the right above
  expect(lines.reduce((sum, line) => sum + doubled(line), 0) / 2).toBe(mask.reduce((a, b) => a + b, 0));
  expect(outlines(maskToRle(new Uint8Array(6), [2, 3]))).toEqual([]);
});

test('parts that touch at a corner have outlines of their own', () => {
  const lines = outlines(maskToRle(Uint8Array.of(1, 0, 0, 1), [2, 2]));
  expect(lines.map((line) => line.length)).toEqual([8, 8]);
});

const picture = { width: 200, height: 100 };
const label = { width: 50, height: 12 };

test('labels stay inside of the picture', () => {
  const boxes: Rectangle[] = [
    { x: 0, y: 0, width: 200, height: 100 },
    { x: 190, y: 2, width: 10, height: 10 },
    { x: -5, y: 95, width: 3, height: 5 },
  ];
  for (const box of boxes) {
    const { x, y } = placeLabel(box, label, picture, [])!;
    expect(x >= 0 && y >= 0 && x + 50 <= 200 && y + 12 <= 100).toBe(true);
  }
});

test('labels of one place move apart, and one that would hide the others is left out', () => {
  const box = { x: 60, y: 40, width: 60, height: 30 };
  const taken: Rectangle[] = [];
  for (let place = placeLabel(box, label, picture, taken); place; place = placeLabel(box, label, picture, taken))
    taken.push(place);
  expect(taken.length).toBeGreaterThanOrEqual(4);
  expect(taken.length).toBeLessThan(9);
  expect(new Set(taken.map(({ y }) => y)).size).toBe(4);
});

test('every class of COCO has a colour of its own, and its text stands out', () => {
  const colours = Array.from({ length: 80 }, (_, i) => classColours(i));
  expect(new Set(colours.map(({ line }) => line)).size).toBe(80);
  expect(new Set(colours.map(({ text }) => text))).toEqual(new Set(['#000', '#fff']));
});
