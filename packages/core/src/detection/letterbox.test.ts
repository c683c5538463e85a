import { expect, test } from 'vitest';
import type { Image } from '../image.js';
import { Random } from '../random.js';
import { simdFloatRows, simdRows } from './bilinear-simd.js';
import { type ValueRecord, bytesImage, expectBytes, expectValues, readGoldens, unit } from './goldens.test-util.js';
import { letterbox, letterboxDarknet, stretch, stretchDarknet, unplaceBox } from './letterbox.js';
import { plainRows, resizeBilinear, taps } from './resize-bilinear.js';
import { type FloatImage, plainFloatRows, resizeDarknet } from './resize-darknet.js';

interface Letterboxed {
  input: string;
  options: { new_shape: [number, number]; auto?: boolean; stride?: number; scaleup?: boolean; center?: boolean };
  output: ValueRecord;
}
interface Scaled {
  network_hw: [number, number];
  image_hw: [number, number];
  boxes: number[][];
  output: number[][];
}
interface Resized {
  size_hw: [number, number];
  interpolation?: string;
  dtype?: string;
  output: ValueRecord;
}
interface Ultralytics {
  cases?: Letterboxed[];
  letterbox?: { cases: Letterboxed[] };
  scale_boxes: { cases: Scaled[] };
  cv2: Resized[] | { cases: Resized[] };
}
interface Darknet {
  cases: { size_hw: [number, number]; resize: ValueRecord; letterbox: ValueRecord }[];
}
const ultralytics = readGoldens<Ultralytics>('letterbox', 'resize_uint8');
const darknet = readGoldens<Darknet>('darknet', 'resize_darknet');

const toBytes = (values: Float32Array): Uint8Array => Uint8Array.from(values, (value) => Math.round(value * 255));

function resizedBytes(image: Image, width: number, height: number, rows?: typeof simdRows): Uint8Array {
  const values = new Float32Array(width * height * 3);
  resizeBilinear(image, width, height, { values, start: 0, stride: width * 3 }, rows);
  return toBytes(values);
}

const plain: typeof simdRows = (_, columns) => plainRows(columns);
const plainFloats: typeof simdFloatRows = (_, columns) => plainFloatRows(columns);

test.each([
  ['SIMD', simdRows],
  ['plain JavaScript', plain],
])('bilinear resizing in %s gives the bytes that OpenCV gives', (_, rows) => {
  for (const { cv2 } of ultralytics) {
    for (const { size_hw: size, interpolation, dtype, output } of 'cases' in cv2 ? cv2.cases : cv2) {
      if ((interpolation ?? 'INTER_LINEAR') !== 'INTER_LINEAR' || dtype === 'float32') continue;
      expectBytes(resizedBytes(bytesImage('image8', 37, 53), size[1], size[0], rows), output);
    }
  }
});

test('SIMD and plain JavaScript resize to the same bits, whatever the sizes', () => {
  expect(simdRows(8, taps(8, 4, true))).toBeDefined(); // else there is nothing to compare
  const random = new Random(3);
  for (let i = 0; i < 200; i++) {
    const [width, height, newWidth, newHeight] = Array.from({ length: 4 }, () => 1 + random.int(i < 100 ? 9 : 120));
    const image = bytesImage(`picture ${i}`, height, width);
    const [fast, slow] = [simdRows, plain].map((rows) => {
      const values = new Float32Array(newWidth * newHeight * 3);
      resizeBilinear(image, newWidth, newHeight, { values, start: 0, stride: newWidth * 3 }, rows);
      return values;
    });
    const [fastFloats, slowFloats] = [simdFloatRows, plainFloats].map((rows) => {
      const values = new Float32Array(newWidth * newHeight * 3);
      resizeDarknet(image, { values, stride: newWidth, left: 0, top: 0, width: newWidth, height: newHeight }, rows);
      return values;
    });
    expect(
      fastFloats.findIndex((value, at) => value !== slowFloats[at]),
      `Darknet's, ${width}×${height} to ${newWidth}×${newHeight}`,
    ).toBe(-1);
    const different = fast.findIndex((value, at) => value !== slow[at]);
    expect(different, `${width}×${height} to ${newWidth}×${newHeight}`).toBe(-1);
  }
});

test('an input is written where there is room for it, all of it', () => {
  const image = bytesImage('image8', 37, 53);
  for (const place of [letterbox, letterboxDarknet, stretch, stretchDarknet]) {
    const into = new Float32Array(64 * 96 * 3).fill(NaN);
    expect(place(image, [64, 96], { into }).values).toBe(into);
    expect(into).toEqual(place(image, [64, 96]).values);
    expect(() => place(image, [64, 64], { into })).toThrow('an input of 64×64 needs 12288 values, found room for 18432');
  }
});

test('the letterbox gives the bytes that Ultralytics gives', () => {
  for (const golden of ultralytics) {
    for (const { input, options, output } of golden.cases ?? golden.letterbox!.cases) {
      const [, height, width] = /\((\d+), (\d+), 3\)/.exec(input)!.map(Number);
      const { new_shape: size, auto = false, stride = 32, scaleup: scaleUp = true, center = true } = options;
      const boxed = letterbox(bytesImage('letterbox', height, width), size, { scaleUp, center, ...(auto && { stride }) });
      expect([boxed.height, boxed.width, 3]).toEqual(output.shape);
      expectBytes(toBytes(boxed.values), output);
    }
  }
});

test('boxes come back from the letterbox as Ultralytics takes them back', () => {
  for (const { scale_boxes: scaled } of ultralytics) {
    for (const {
      network_hw: size,
      image_hw: [height, width],
      boxes,
      output,
    } of scaled.cases) {
      const { placement } = letterbox({ pixels: new Uint8Array(height * width * 3), height, width }, size);
      boxes.forEach((box, i) =>
        unplaceBox(box, placement).forEach((value, k) => expect(Math.abs(value - output[i][k])).toBeLessThan(1e-4)),
      );
    }
  }
});

/** The reference's picture of floats, which it lays out channel by channel: [3, 37, 53]. */
function floatPicture(): FloatImage {
  const planes = unit('image', 3 * 37 * 53);
  const values = new Float32Array(planes.length);
  planes.forEach((u, i) => (values[(i % (37 * 53)) * 3 + Math.floor(i / (37 * 53))] = (u + 1) / 2));
  return { values, width: 53, height: 37 };
}

const byChannel = ({ values, width, height }: FloatImage): Float32Array =>
  values.map((_, i) => values[(i % (width * height)) * 3 + Math.floor(i / (width * height))]);

test("Darknet's resize gives the floats that Darknet gives", () => {
  for (const { cases } of darknet) {
    for (const {
      size_hw: [height, width],
      resize,
    } of cases) {
      const values = new Float32Array(height * width * 3);
      resizeDarknet(floatPicture(), { values, stride: width, left: 0, top: 0, width, height });
      expectValues(byChannel({ values, width, height }), resize, 1e-6);
    }
  }
});

test("Darknet's letterbox lies where Darknet's lies, in grey of 0.5", () => {
  for (const { cases } of darknet) {
    for (const {
      size_hw: [height, width],
      letterbox: expected,
    } of cases) {
      const { values, placement } = letterboxDarknet(bytesImage('image8', 37, 53), [height, width]);
      expect(values).toHaveLength(height * width * 3);
      const { left, top } = { left: Math.trunc(placement.left), top: Math.trunc(placement.top) };
      const size = { width: Math.round(53 * placement.scaleX), height: Math.round(37 * placement.scaleY) };
      const filled = new Float32Array(values.length).fill(0.5);
      resizeDarknet(floatPicture(), { values: filled, stride: width, left, top, ...size });
      expectValues(byChannel({ values: filled, width, height }), expected, 1e-6);
    }
  }
});

test.each([stretch, stretchDarknet])('a stretched picture fills the input, and its boxes come back (%o)', (place) => {
  const { values, placement } = place(bytesImage('image8', 37, 53), [64, 48]);
  expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(unplaceBox([0, 0, 48, 64], placement)).toEqual([0, 0, 53, 37]);
  expect(unplaceBox([12, 16, 100, 32], placement)).toEqual([53 / 4, 37 / 4, 53, 37 / 2]);
});

test('stretch has the bytes of OpenCV, over 255', () => {
  const image = bytesImage('image8', 37, 53);
  const pixels = resizedBytes(image, 48, 64);
  expect(stretch(image, [64, 48]).values).toEqual(Float32Array.from(pixels, (value) => value / 255));
});

test('pictures and inputs of one pixel work, those without pixels are refused', () => {
  const dot = { pixels: Uint8Array.of(255, 0, 51), width: 1, height: 1 };
  for (const place of [letterbox, letterboxDarknet, stretch, stretchDarknet]) {
    const { values } = place(dot, [2, 2]);
    expect([...values]).toEqual([1, 0, 0.2, 1, 0, 0.2, 1, 0, 0.2, 1, 0, 0.2].map(Math.fround));
    expect(place(bytesImage('image8', 37, 53), [1, 1]).values.every(Number.isFinite)).toBe(true);
    expect(() => place(dot, [0, 32])).toThrow('expected an input of whole pixels, at least 1×1, found 32×0');
    expect(() => place({ pixels: new Uint8Array(0), width: 0, height: 5 }, [32, 32])).toThrow('found 0×5');
  }
});

test('the sides of the scaled image are rounded up where that is asked for', () => {
  const blank = { pixels: new Uint8Array(333 * 500 * 3), width: 500, height: 333 };
  const { placement } = letterbox(blank, [640, 640], { roundUp: true });
  expect([placement.scaleX, placement.scaleY]).toEqual([1.28, 427 / 333]); // 426.24 rows
  expect(placement.top).toBe(106);
  expect(unplaceBox([0, 106, 640, 533], placement)).toEqual([0, 0, 500, 333]);
  expect(letterbox(blank, [640, 640]).placement.top).toBe(107);
});
