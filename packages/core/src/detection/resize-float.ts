/** A picture of floats: [height, width, 3], row by row. */
export interface FloatImage {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** A rectangle of a net's input that a resized image fills. */
export interface Window {
  readonly values: Float32Array;
  /** Width of the whole input. */
  readonly stride: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * What stays where it is when an image is resized from W to W' pixels: the centres of the corner pixels, x = x' · (W − 1) / (W' − 1), as in
 * Darknet's `resize_image`; or the edges of the image, x = (x' + ½) · W / W' − ½, as in OpenCV and PyTorch.
 */
export type Alignment = 'corners' | 'edges';

/** The two pixels that a new one mixes, and the share of the second; the second of Darknet's last row is left out. */
interface Taps {
  readonly first: number;
  readonly second: number | undefined;
  readonly share: number;
}

const float32 = Math.fround;

/** Bilinear without antialiasing, in float32: writes [height, width, 3] into the window. */
export function resizeFloat(image: FloatImage, window: Window, alignment: Alignment): void {
  const { width, height } = image;
  const columns = positions(width, window.width, alignment);
  const rows = positions(height, window.height, alignment);
  if (alignment === 'corners') rows.push({ ...rows.pop()!, second: undefined });
  // The two rows of the image that an output row mixes, resized along x; the next output row often needs them again.
  let upper = { row: -1, values: new Float32Array(window.width * 3) };
  let lower = { row: -1, values: new Float32Array(window.width * 3) };
  const take = (into: typeof upper, row: number): Float32Array => {
    if (into.row !== row) resizeRow(image.values.subarray(row * width * 3, (row + 1) * width * 3), columns, into.values);
    into.row = row;
    return into.values;
  };
  rows.forEach(({ first, second, share }, y) => {
    if (first === lower.row) [upper, lower] = [lower, upper];
    const above = take(upper, first);
    const rest = float32(1 - share);
    const to = ((y + window.top) * window.stride + window.left) * 3;
    for (let i = 0; i < above.length; i++) window.values[to + i] = rest * above[i];
    if (second === undefined || share === 0) return;
    const below = take(lower, second);
    for (let i = 0; i < below.length; i++) window.values[to + i] += float32(share * below[i]);
  });
}

function resizeRow(row: Float32Array, columns: readonly Taps[], to: Float32Array): void {
  for (let x = 0, i = 0; x < columns.length; x++, i += 3) {
    const { first, second = first, share } = columns[x];
    const [a, b, rest] = [first * 3, second * 3, float32(1 - share)];
    to[i] = float32(rest * row[a]) + float32(share * row[b]);
    to[i + 1] = float32(rest * row[a + 1]) + float32(share * row[b + 1]);
    to[i + 2] = float32(rest * row[a + 2]) + float32(share * row[b + 2]);
  }
}

function positions(size: number, newSize: number, alignment: Alignment): Taps[] {
  const scale = alignment === 'edges' ? size / newSize : newSize > 1 ? float32((size - 1) / (newSize - 1)) : 0;
  return Array.from({ length: newSize }, (_, i) => {
    const exact = alignment === 'edges' ? Math.max(0, (i + 0.5) * scale - 0.5) : float32(i * scale);
    const first = Math.min(Math.trunc(exact), size - 1);
    return { first, second: Math.min(first + 1, size - 1), share: float32(exact - first) };
  });
}
