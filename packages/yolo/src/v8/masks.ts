import { type Box, type Placement, type Prototypes, type Rle, maskToRle } from '@convkit/core/detection';

/** Pixels of the net's input to a pixel of the prototypes. */
const PROTOTYPE_STRIDE = 4;

/**
 * The mask of an object, in pixels of the original image: its mixture of the prototypes, interpolated, where it is above 0 (a
 * probability above one half) and the centre of the pixel lies in the box.
 */
export function maskOf(box: Box, coefficients: Float32Array, prototypes: Prototypes, placement: Placement): Rle {
  const { imageWidth, imageHeight, scaleX, scaleY } = placement;
  const columns = samples([box[0], box[2], imageWidth], scaleX, placement.left, prototypes.width);
  const rows = samples([box[1], box[3], imageHeight], scaleY, placement.top, prototypes.height);
  const mask = new Uint8Array(imageWidth * imageHeight);
  const mixed = mixture(coefficients, prototypes, columns, rows);
  for (const { at: y, low: upper, high: lower, share: below } of rows) {
    for (const { at: x, low: left, high: right, share } of columns) {
      const above = mixed(left, upper) * (1 - share) + mixed(right, upper) * share;
      const under = mixed(left, lower) * (1 - share) + mixed(right, lower) * share;
      if (above * (1 - below) + under * below > 0) mask[y * imageWidth + x] = 1;
    }
  }
  return maskToRle(mask, [imageHeight, imageWidth], box);
}

/** A row or column of the image: which two of the prototypes its centre lies between, and how near it is to the second. */
interface Sample {
  readonly at: number;
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/** The rows or columns whose centres lie between two edges of a box. */
function samples([from, to, length]: readonly [number, number, number], scale: number, border: number, size: number): Sample[] {
  const first = Math.max(0, Math.ceil(from - 0.5));
  const count = Math.max(0, Math.min(length, Math.ceil(to - 0.5)) - first);
  return Array.from({ length: count }, (_, i) => {
    const exact = ((first + i + 0.5) * scale + border) / PROTOTYPE_STRIDE - 0.5;
    const within = Math.min(Math.max(exact, 0), size - 1);
    const low = Math.floor(within);
    return { at: first + i, low, high: Math.min(low + 1, size - 1), share: within - low };
  });
}

/** The weighted sum of the prototypes, at those of their pixels that the samples need. */
function mixture(
  coefficients: Float32Array,
  { values, width }: Prototypes,
  columns: readonly Sample[],
  rows: readonly Sample[],
): (x: number, y: number) => number {
  if (columns.length === 0 || rows.length === 0) return () => 0;
  const [left, top] = [columns[0].low, rows[0].low];
  const [wide, high] = [columns[columns.length - 1].high - left + 1, rows[rows.length - 1].high - top + 1];
  const channels = coefficients.length;
  const sums = Float32Array.from({ length: wide * high }, (_, i) => {
    const from = ((top + Math.floor(i / wide)) * width + left + (i % wide)) * channels;
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += coefficients[c] * values[from + c];
    return sum;
  });
  return (x, y) => sums[(y - top) * wide + x - left];
}
