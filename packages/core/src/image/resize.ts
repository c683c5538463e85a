import { ArgumentError } from '../errors.js';
import type { Image, Interpolation } from '../image.js';

/** Weights are integers scaled by 2²², so that 8-bit pixels times weights stay inside 32 bits. */
const PRECISION_BITS = 22;

interface Filter {
  readonly support: number;
  weight(x: number): number;
}

const filters: Record<Interpolation, Filter> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    weight(x) {
      const a = -0.5;
      const t = Math.abs(x);
      if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
      return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
    },
  },
};

/** For each output position: its first input, and `taps` weights (the unused ones are zero). */
interface Weights {
  readonly first: Int32Array;
  readonly taps: number;
  readonly values: Int32Array;
}

/**
 * Resizes with antialiasing: [H, W, 3] → [height, width, 3], the same pixels as `PIL.Image.resize`.
 *
 * The triangle ('bilinear') or Keys cubic with a = −½ ('bicubic') is stretched by the scale when shrinking. Columns first, then
 * rows, each rounded to 8 bits, in PIL's fixed-point arithmetic.
 *
 * @throws ArgumentError when a side is not a positive integer.
 */
export function resize(
  image: Image,
  [width, height]: readonly [width: number, height: number],
  interpolation: Interpolation = 'bilinear',
): Image {
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new ArgumentError(`resize: expected a width and height of at least 1, found ${width}×${height}`);
  }
  const filter = filters[interpolation];
  let { pixels } = image;
  if (width !== image.width)
    pixels = resizeColumns(pixels, image.width, image.height, width, filterWeights(image.width, width, filter));
  if (height !== image.height) pixels = resizeRows(pixels, width, height, filterWeights(image.height, height, filter));
  return { pixels, width, height };
}

function filterWeights(inSize: number, outSize: number, filter: Filter): Weights {
  const scale = inSize / outSize;
  const stretch = Math.max(scale, 1);
  const inverse = 1 / stretch;
  const support = filter.support * stretch;
  const taps = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outSize);
  const values = new Int32Array(outSize * taps);
  const exact = new Float64Array(taps);
  for (let out = 0; out < outSize; out++) {
    const centre = (out + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const high = Math.min(inSize, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let x = low; x < high; x++) sum += exact[x - low] = filter.weight((x - centre + 0.5) * inverse);
    first[out] = low;
    for (let tap = 0; tap < high - low; tap++) {
      const scaled = (exact[tap] / sum) * 2 ** PRECISION_BITS;
      values[out * taps + tap] = Math.trunc(scaled + Math.sign(scaled) * 0.5);
    }
  }
  return { first, taps, values };
}

function resizeColumns(
  pixels: Uint8Array,
  inWidth: number,
  height: number,
  width: number,
  { first, taps, values }: Weights,
): Uint8Array {
  const result = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const count = Math.min(taps, inWidth - first[x]);
      let source = (y * inWidth + first[x]) * 3;
      let red = 1 << (PRECISION_BITS - 1);
      let green = red;
      let blue = red;
      for (let tap = 0; tap < count; tap++, source += 3) {
        const weight = values[x * taps + tap];
        red = (red + pixels[source] * weight) | 0;
        green = (green + pixels[source + 1] * weight) | 0;
        blue = (blue + pixels[source + 2] * weight) | 0;
      }
      const target = (y * width + x) * 3;
      result[target] = red >> PRECISION_BITS;
      result[target + 1] = green >> PRECISION_BITS;
      result[target + 2] = blue >> PRECISION_BITS;
    }
  }
  return new Uint8Array(result.buffer);
}

function resizeRows(pixels: Uint8Array, width: number, height: number, { first, taps, values }: Weights): Uint8Array {
  const result = new Uint8ClampedArray(width * height * 3);
  const row = width * 3;
  const inHeight = pixels.length / row;
  const sums = new Int32Array(row);
  for (let y = 0; y < height; y++) {
    sums.fill(1 << (PRECISION_BITS - 1));
    const count = Math.min(taps, inHeight - first[y]);
    for (let tap = 0; tap < count; tap++) {
      const weight = values[y * taps + tap];
      if (weight === 0) continue;
      const source = (first[y] + tap) * row;
      for (let i = 0; i < row; i++) sums[i] += pixels[source + i] * weight;
    }
    for (let i = 0; i < row; i++) result[y * row + i] = sums[i] >> PRECISION_BITS;
  }
  return new Uint8Array(result.buffer);
}
