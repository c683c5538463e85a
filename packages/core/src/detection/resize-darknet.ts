import type { Image } from '../image.js';
import { unitRange } from './resize-bilinear.js';

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
export function resizeDarknet(image: Image | FloatImage, window: Window): void {
  const { values, stride, left, top, width, height } = window;
  const columns = positions(image.width, width);
  const rows = positions(image.height, height);
  const rowOf = rowReader(image);
  let upper = { row: -1, values: new Float32Array(width * 3) };
  let lower = { row: -1, values: new Float32Array(width * 3) };
  const take = (into: typeof upper, row: number): Float32Array => {
    if (into.row !== row) resizeRow(rowOf(row), columns, into.values);
    into.row = row;
    return into.values;
  };
  for (let y = 0; y < height; y++) {
    const cell = rows.cells[y];
    const part = rows.parts[y];
    if (cell === lower.row) [upper, lower] = [lower, upper];
    const above = take(upper, cell);
    const to = ((y + top) * stride + left) * 3;
    if (y === height - 1 || image.height === 1) scale(above, float32(1 - part), values, to);
    else mix(above, take(lower, cell + 1), part, values, to);
  }
}

/** A row of a picture as floats, which lasts until the next one is asked for. */
function rowReader(image: Image | FloatImage): (row: number) => Float32Array {
  const length = image.width * 3;
  if ('values' in image) return (row) => image.values.subarray(row * length, (row + 1) * length);
  const floats = new Float32Array(length);
  return (row) => {
    const start = row * length;
    for (let i = 0; i < length; i++) floats[i] = unitRange[image.pixels[start + i]];
    return floats;
  };
}

function scale(row: Float32Array, weight: number, to: Float32Array, start: number): void {
  for (let i = 0; i < row.length; i++) to[start + i] = weight * row[i];
}

function mix(above: Float32Array, below: Float32Array, part: number, to: Float32Array, start: number): void {
  const weight = float32(1 - part);
  for (let i = 0; i < above.length; i++) to[start + i] = float32(weight * above[i]) + float32(part * below[i]);
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
interface Positions {
  readonly cells: Int32Array;
  readonly parts: Float32Array;
}

function positions(size: number, newSize: number): Positions {
  const step = newSize > 1 ? float32((size - 1) / (newSize - 1)) : 0;
  const at = Float32Array.from({ length: newSize }, (_, i) => i * step);
  return { cells: Int32Array.from(at), parts: at.map((place) => place - Math.trunc(place)) };
}
