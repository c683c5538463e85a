import type { Image } from '../image.js';
import { simdRows } from './bilinear-simd.js';

/** For each output position its two inputs, and their weights in units of 1/2048. */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

const ONE = 2048;

/** Where the rows of a resized image go. */
export interface RowTarget {
  readonly values: Float32Array;
  readonly start: number;
  /** Elements from a row to the next. */
  readonly stride: number;
}

/** The two rows of an image that an output row mixes, resized along x. */
export interface ResizedRows<Row = Uint8Array> {
  /** Resizes a row of pixels into one of the two places. */
  take(place: 0 | 1, row: Row): void;
  /** Mixes the row in `upper` and the other one: 0 … 1. */
  mix(upper: 0 | 1, upperWeight: number, lowerWeight: number, values: Float32Array, start: number): void;
}

/**
 * Bilinear without antialiasing, the bytes of OpenCV's `resize(…, INTER_LINEAR)` over 255: half-pixel centres, weights of 11 bits, and
 * what a pixel lacks outside of the image is its edge. [H, W, 3] → [height, width, 3], 0 … 1.
 */
export function resizeBilinear(image: Image, newWidth: number, newHeight: number, target: RowTarget, resized = simdRows): void {
  const { pixels, width, height } = image;
  const columns = taps(width, newWidth, true);
  const { first, second, firstWeight, secondWeight } = taps(height, newHeight, false);
  const rows = resized(width, columns) ?? plainRows(columns);
  const taken: [number, number] = [-1, -1];
  const take = (place: 0 | 1, row: number): void => {
    if (taken[place] !== row) rows.take(place, pixels.subarray(row * width * 3, (row + 1) * width * 3));
    taken[place] = row;
  };
  let upper: 0 | 1 = 0;
  for (let y = 0; y < newHeight; y++) {
    const lower = (1 - upper) as 0 | 1;
    if (first[y] === taken[lower]) upper = lower; // what was the lower row is often the next upper one
    take(upper, first[y]);
    take((1 - upper) as 0 | 1, second[y]);
    rows.mix(upper, firstWeight[y], secondWeight[y], target.values, target.start + y * target.stride);
  }
}

/** 8-bit values as the floats 0 … 1. */
export const unitRange = Float32Array.from({ length: 256 }, (_, value) => value / 255);

/** In plain JavaScript. */
export function plainRows(columns: Taps): ResizedRows {
  const places = [0, 1].map(() => new Int32Array(columns.first.length * 3));
  return {
    take: (place, row) => resizeRow(row, columns, places[place]),
    mix: (upper, upperWeight, lowerWeight, values, start) =>
      mixRows(places[upper], places[1 - upper], upperWeight, lowerWeight, values, start),
  };
}

function resizeRow(row: Uint8Array, { first, second, firstWeight, secondWeight }: Taps, to: Int32Array): void {
  for (let x = 0, i = 0; x < first.length; x++, i += 3) {
    const a = first[x] * 3;
    const b = second[x] * 3;
    const wa = firstWeight[x];
    const wb = secondWeight[x];
    to[i] = (Math.imul(row[a], wa) + Math.imul(row[b], wb)) >> 4;
    to[i + 1] = (Math.imul(row[a + 1], wa) + Math.imul(row[b + 1], wb)) >> 4;
    to[i + 2] = (Math.imul(row[a + 2], wa) + Math.imul(row[b + 2], wb)) >> 4;
  }
}

function mixRows(upper: Int32Array, lower: Int32Array, a: number, b: number, values: Float32Array, start: number): void {
  for (let i = 0; i < upper.length; i++) {
    values[start + i] = unitRange[((Math.imul(a, upper[i]) >> 16) + (Math.imul(b, lower[i]) >> 16) + 2) >> 2];
  }
}

/** Along x a position beyond the edge takes the edge alone; along y OpenCV mixes the edge row with itself. */
export function taps(size: number, newSize: number, clamp: boolean): Taps {
  const result = {
    first: new Int32Array(newSize),
    second: new Int32Array(newSize),
    firstWeight: new Int32Array(newSize),
    secondWeight: new Int32Array(newSize),
  };
  const scale = 1 / (newSize / size);
  const within = (cell: number): number => Math.max(0, Math.min(size - 1, cell));
  for (let i = 0; i < newSize; i++) {
    const at = Math.fround((i + 0.5) * scale - 0.5);
    const cell = Math.floor(at);
    const share = clamp && (cell < 0 || cell >= size - 1) ? 0 : Math.fround(at - cell);
    result.first[i] = within(cell);
    result.second[i] = within(cell + 1);
    result.firstWeight[i] = roundHalfToEven(Math.fround(1 - share) * ONE);
    result.secondWeight[i] = roundHalfToEven(share * ONE);
  }
  return result;
}

/** As Python's and C's rounding: 2.5 → 2, 3.5 → 4. */
export function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
