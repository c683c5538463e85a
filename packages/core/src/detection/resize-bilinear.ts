import type { Image } from '../image.js';

/** For each output position its two inputs, and their weights in units of 1/2048. */
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

const ONE = 2048;

/** Where the rows of a resized image go, and what stands for each byte there. */
export interface RowTarget {
  readonly values: Float32Array;
  readonly start: number;
  /** Elements from a row to the next. */
  readonly stride: number;
  /** Of 256 values. */
  readonly table: Float32Array;
}

/**
 * Bilinear without antialiasing, the bytes of OpenCV's `resize(…, INTER_LINEAR)`: half-pixel centres, weights of 11 bits, and
 * what a pixel lacks outside of the image is its edge. [H, W, 3] → [height, width, 3].
 */
export function resizeBilinear({ pixels, width, height }: Image, newWidth: number, newHeight: number, target: RowTarget): void {
  const { values, start, stride, table } = target;
  const columns = taps(width, newWidth, true);
  const rows = taps(height, newHeight, false);
  // The two rows of the image that an output row mixes, resized along x; the next output row often needs them again.
  let upper = { row: -1, values: new Int32Array(newWidth * 3) };
  let lower = { row: -1, values: new Int32Array(newWidth * 3) };
  for (let y = 0; y < newHeight; y++) {
    if (rows.first[y] === lower.row) [upper, lower] = [lower, upper];
    if (rows.first[y] !== upper.row) resizeRow(pixels, (upper.row = rows.first[y]) * width * 3, columns, upper.values);
    if (rows.second[y] !== lower.row) resizeRow(pixels, (lower.row = rows.second[y]) * width * 3, columns, lower.values);
    const a = rows.firstWeight[y];
    const b = rows.secondWeight[y];
    const top = upper.values;
    const bottom = lower.values;
    for (let i = 0, to = start + y * stride; i < top.length; i++, to++) {
      values[to] = table[((Math.imul(a, top[i] >> 4) >> 16) + (Math.imul(b, bottom[i] >> 4) >> 16) + 2) >> 2];
    }
  }
}

/** Three values a pixel, times 2048. */
function resizeRow(pixels: Uint8Array, start: number, { first, second, firstWeight, secondWeight }: Taps, to: Int32Array): void {
  for (let x = 0, i = 0; x < first.length; x++, i += 3) {
    const a = start + first[x] * 3;
    const b = start + second[x] * 3;
    const wa = firstWeight[x];
    const wb = secondWeight[x];
    to[i] = Math.imul(pixels[a], wa) + Math.imul(pixels[b], wb);
    to[i + 1] = Math.imul(pixels[a + 1], wa) + Math.imul(pixels[b + 1], wb);
    to[i + 2] = Math.imul(pixels[a + 2], wa) + Math.imul(pixels[b + 2], wb);
  }
}

/** Along x a position beyond the edge takes the edge alone; along y OpenCV mixes the edge row with itself. */
function taps(size: number, newSize: number, clamp: boolean): Taps {
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
