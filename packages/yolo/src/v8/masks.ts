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
  const { sums, wide, left, top } = mixture(coefficients, prototypes, columns, rows);
  const between = new Float64Array(wide);
  for (const { at: y, low: upper, high: lower, share: below } of rows) {
    for (let x = 0; x < wide; x++) {
      between[x] = sums[(upper - top) * wide + x] * (1 - below) + sums[(lower - top) * wide + x] * below;
    }
    for (const { at: x, low, high, share } of columns) {
      if (between[low - left] * (1 - share) + between[high - left] * share > 0) mask[y * imageWidth + x] = 1;
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

/** The weighted sum of the prototypes, in the rectangle of their pixels, `wide` of them a row, that the samples need. */
function mixture(
  coefficients: Float32Array,
  { values, width, height }: Prototypes,
  columns: readonly Sample[],
  rows: readonly Sample[],
) {
  const [left, top] = [columns[0]?.low ?? 0, rows[0]?.low ?? 0];
  const [wide, high] = [(columns.at(-1)?.high ?? left - 1) - left + 1, (rows.at(-1)?.high ?? top - 1) - top + 1];
  const sums = new Float32Array(wide * high);
  for (let channel = 0; channel < coefficients.length; channel++) {
    const coefficient = coefficients[channel];
    for (let y = 0, to = 0; y < high; y++) {
      const from = (channel * height + top + y) * width + left;
      for (let x = 0; x < wide; x++, to++) sums[to] += coefficient * values[from + x];
    }
  }
  return { sums, wide, left, top };
}
