import type { Image } from '../image.js';
import { simdFloatRows } from './bilinear-simd.js';
import { type ResizedRows, unitRange } from './resize-bilinear.js';

const float32 = Math.fround;

/** A picture of floats: [height, width, 3], row by row. */
export interface FloatImage {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** A rectangle of a net's input that a resized image fills. */
export interface Window {
  readonly values: Float32Array;
  /** Of the whole input, in pixels. */
  readonly stride: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Darknet's `resize_image`: bilinear in float32 with the corners aligned, x = x' · (W − 1) / (W' − 1); the last row takes
 * (1 − share) of one row alone, as there. Bytes are divided by 255. Writes [height, width, 3] into the window.
 */
export function resizeDarknet(image: Image | FloatImage, window: Window, resized = simdFloatRows): void {
  const columns = positions(image.width, window.width);
  const length = image.width * 3;
  if ('pixels' in image) {
    const rows = resized(image.width, columns) ?? plainFloatRows(columns);
    fill(window, image.height, rows, (row) => image.pixels.subarray(row * length, (row + 1) * length));
  } else {
    fill(window, image.height, plainFloatRows(columns), (row) => image.values.subarray(row * length, (row + 1) * length));
  }
}

function fill<Row>(window: Window, imageHeight: number, rows: ResizedRows<Row>, rowOf: (row: number) => Row): void {
  const { values, stride, left, top, height } = window;
  const { cells, parts } = positions(imageHeight, height);
  const taken: [number, number] = [-1, -1];
  const take = (place: 0 | 1, row: number): void => {
    if (taken[place] !== row) rows.take(place, rowOf(row));
    taken[place] = row;
  };
  let upper: 0 | 1 = 0;
  for (let y = 0; y < height; y++) {
    const lower = (1 - upper) as 0 | 1;
    if (cells[y] === taken[lower]) upper = lower;
    take(upper, cells[y]);
    const alone = y === height - 1 || imageHeight === 1;
    if (!alone) take((1 - upper) as 0 | 1, cells[y] + 1);
    rows.mix(upper, float32(1 - parts[y]), alone ? 0 : parts[y], values, ((y + top) * stride + left) * 3);
  }
}

/** In plain JavaScript. */
export function plainFloatRows(columns: Positions): ResizedRows<Uint8Array | Float32Array> {
  const places = [0, 1].map(() => new Float32Array(columns.cells.length * 3));
  return {
    take: (place, row) => {
      const floats = row instanceof Float32Array ? row : Float32Array.from(row, (byte) => unitRange[byte]);
      resizeRow(floats, columns, places[place]);
    },
    mix: (upper, a, b, values, start) => mixRows(places[upper], places[1 - upper], a, b, values, start),
  };
}

function mixRows(upper: Float32Array, lower: Float32Array, a: number, b: number, values: Float32Array, start: number): void {
  for (let i = 0; i < upper.length; i++) values[start + i] = float32(a * upper[i]) + float32(b * lower[i]);
}

function resizeRow(row: Float32Array, { cells, parts }: Positions, to: Float32Array): void {
  const last = row.length - 3;
  const end = last === 0 ? 0 : cells.length - 1;
  for (let x = 0, i = 0; x < end; x++, i += 3) {
    const a = cells[x] * 3;
    const part = parts[x];
    const weight = float32(1 - part);
    to[i] = float32(weight * row[a]) + float32(part * row[a + 3]);
    to[i + 1] = float32(weight * row[a + 1]) + float32(part * row[a + 4]);
    to[i + 2] = float32(weight * row[a + 2]) + float32(part * row[a + 5]);
  }
  for (let x = end; x < cells.length; x++) to.set(row.subarray(last), x * 3);
}

/** For each output position the input position before it, and how far it lies behind that. */
export interface Positions {
  readonly cells: Int32Array;
  readonly parts: Float32Array;
}

function positions(size: number, newSize: number): Positions {
  const step = newSize > 1 ? float32((size - 1) / (newSize - 1)) : 0;
  const at = Float32Array.from({ length: newSize }, (_, i) => i * step);
  return { cells: Int32Array.from(at), parts: at.map((place) => place - Math.trunc(place)) };
}
