import type { Image } from '../image.js';

/** For each output position the left of its two inputs, and the weights of both. */
interface Taps<Weights> {
  readonly first: Int32Array;
  readonly left: Weights;
  readonly right: Weights;
}

const ONE = 2048;

/**
 * Bilinear without antialiasing, the bytes of OpenCV's `resize(…, INTER_LINEAR)`: half-pixel centres, weights of 11 bits, and
 * what a pixel lacks outside of the image is its edge. [H, W, 3] → [height, width, 3].
 */
export function resizeBilinear({ pixels, width, height }: Image, newWidth: number, newHeight: number): Image {
  const columns = taps(width, newWidth, true);
  const rows = taps(height, newHeight, false);
  const result = new Uint8Array(newWidth * newHeight * 3);
  // The two rows of the image that an output row mixes, resized along x; the next output row often needs them again.
  let upper = { row: -1, values: new Int32Array(newWidth * 3) };
  let lower = { row: -1, values: new Int32Array(newWidth * 3) };
  for (let y = 0; y < newHeight; y++) {
    const above = Math.max(0, Math.min(height - 1, rows.first[y]));
    const below = Math.max(0, Math.min(height - 1, rows.first[y] + 1));
    if (above === lower.row) [upper, lower] = [lower, upper];
    if (above !== upper.row) resizeRow(pixels, (upper.row = above) * width * 3, width, columns, upper.values);
    if (below !== lower.row) resizeRow(pixels, (lower.row = below) * width * 3, width, columns, lower.values);
    const [a, b] = [rows.left[y], rows.right[y]];
    const [top, bottom] = [upper.values, lower.values];
    for (let i = 0, to = y * newWidth * 3; i < top.length; i++, to++) {
      result[to] = (((a * (top[i] >> 4)) >> 16) + ((b * (bottom[i] >> 4)) >> 16) + 2) >> 2;
    }
  }
  return { pixels: result, width: newWidth, height: newHeight };
}

function resizeRow(
  pixels: Uint8Array,
  start: number,
  width: number,
  { first, left, right }: Taps<Int32Array>,
  to: Int32Array,
): void {
  const last = (width - 1) * 3;
  for (let x = 0, i = 0; x < first.length; x++, i += 3) {
    const a = first[x] * 3;
    const b = start + (a < last ? a + 3 : last);
    const [wa, wb] = [left[x], right[x]];
    to[i] = pixels[start + a] * wa + pixels[b] * wb;
    to[i + 1] = pixels[start + a + 1] * wa + pixels[b + 1] * wb;
    to[i + 2] = pixels[start + a + 2] * wa + pixels[b + 2] * wb;
  }
}

/** Along x a position beyond the edge takes the edge alone; along y OpenCV mixes the edge row with itself. */
function taps(size: number, newSize: number, clamp: boolean): Taps<Int32Array> {
  const first = new Int32Array(newSize);
  const left = new Int32Array(newSize);
  const right = new Int32Array(newSize);
  const scale = 1 / (newSize / size);
  for (let i = 0; i < newSize; i++) {
    const at = Math.fround((i + 0.5) * scale - 0.5);
    let cell = Math.floor(at);
    let share = Math.fround(at - cell);
    if (clamp && (cell < 0 || cell >= size - 1)) {
      cell = cell < 0 ? 0 : size - 1;
      share = 0;
    }
    first[i] = cell;
    left[i] = roundHalfToEven(Math.fround(1 - share) * ONE);
    right[i] = roundHalfToEven(share * ONE);
  }
  return { first, left, right };
}

/** As Python's and C's rounding: 2.5 → 2, 3.5 → 4. */
export function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
