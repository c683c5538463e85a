import { crop, inputSize, preprocessSize, resize } from '@convkit/core';
import type { Image, Preprocessing, Random } from '@convkit/core';
import type { PackedImages } from './dataset.js';

/** Random changes of the training images, as data. Names and defaults are torchvision's. */
export interface Augmentation {
  /** Shift by up to `padding` pixels each way; what comes in is black (RandomCrop with padding). */
  crop?: { padding: number };
  /** Mirror left and right, every other image (RandomHorizontalFlip). */
  flip?: boolean;
  /** A random part of the image, resized to the net's input instead of resize and centre crop (RandomResizedCrop). */
  randomResizedCrop?: {
    /** Smallest and largest share of the image's area. Default: [0.08, 1] */
    scale?: readonly [low: number, high: number];
    /** Smallest and largest width over height. Default: [3/4, 4/3] */
    ratio?: readonly [low: number, high: number];
  };
}

/** What was drawn for one image: output (x, y) shows input (x + left, y + top), after mirroring. */
export interface Placement {
  readonly left: number;
  readonly top: number;
  readonly mirrored: boolean;
}

/** Draws shift and mirroring; the numbers drawn do not depend on the image. */
export function drawPlacement(random: Random, { crop: shift, flip }: Augmentation): Placement {
  const padding = shift?.padding ?? 0;
  const left = padding > 0 ? random.int(2 * padding + 1) - padding : 0;
  const top = padding > 0 ? random.int(2 * padding + 1) - padding : 0;
  return { left, top, mirrored: flip === true && random.uniform() < 0.5 };
}

/** Brings an image to the net's input size: randomly if so asked, else by resize and centre crop. */
export function fitImage(image: Image, preprocessing: Preprocessing, augment: Augmentation, random: Random): Image {
  const { randomResizedCrop } = augment;
  if (!randomResizedCrop) return preprocessSize(image, preprocessing);
  const [height, width] = inputSize(preprocessing);
  const box = drawResizedCrop(image, randomResizedCrop, random);
  return resize(crop(image, box), [width, height], preprocessing.interpolation);
}

/** The part of an image that RandomResizedCrop takes; after ten vain tries the middle, of the nearest allowed ratio. */
export function drawResizedCrop(
  { width, height }: { width: number; height: number },
  { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] }: NonNullable<Augmentation['randomResizedCrop']>,
  random: Random,
): { left: number; top: number; width: number; height: number } {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * random.uniform(scale[0], scale[1]);
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = Math.round(Math.sqrt(area * aspect));
    const h = Math.round(Math.sqrt(area / aspect));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      return { left: random.int(width - w + 1), top: random.int(height - h + 1), width: w, height: h };
    }
  }
  const aspect = width / height;
  const w = aspect > ratio[1] ? Math.max(1, Math.round(height * ratio[1])) : width;
  const h = aspect < ratio[0] ? Math.max(1, Math.round(width / ratio[0])) : height;
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

/** (pixel / 255 − mean) / std for the 256 values of each channel: [3, 256]. */
export function normalisationTable({ mean, std }: Pick<Preprocessing, 'mean' | 'std'>): Float32Array {
  return Float32Array.from({ length: 3 * 256 }, (_, i) => ((i & 255) / 255 - mean[i >> 8]) / std[i >> 8]);
}

/** Where the pixels of one image are: value of (x, y, channel) at `start + y·row + x·pixel + channel·plane`. */
interface PixelLayout {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly row: number;
  readonly pixel: number;
  readonly plane: number;
  readonly width: number;
  readonly height: number;
}

export function imageLayout({ pixels, width, height }: Image): PixelLayout {
  return { bytes: pixels, start: 0, row: 3 * width, pixel: 3, plane: 1, width, height };
}

export function packedLayout({ bytes, stride, offset, width, height }: PackedImages, index: number): PixelLayout {
  return { bytes, start: index * stride + offset, row: width, pixel: 1, plane: width * height, width, height };
}

/** Writes a shifted, mirrored, normalised image into `target` from `at` on: [h, w, 3]. */
export function writeNormalised(
  layout: PixelLayout,
  placement: Placement,
  table: Float32Array,
  target: Float32Array,
  at: number,
): void {
  const { bytes, start, row, pixel, plane, width, height } = layout;
  const { left, top, mirrored } = placement;
  // Output columns from … to − 1 show the image, the others black.
  const from = Math.max(0, mirrored ? left : -left);
  const to = Math.min(width, mirrored ? width + left : width - left);
  const step = mirrored ? -pixel : pixel;
  const first = (mirrored ? width - 1 - from + left : from + left) * pixel;
  const black = [table[0], table[256], table[512]] as const;
  for (let y = 0; y < height; y++) {
    const line = at + y * width * 3;
    const visible = y + top >= 0 && y + top < height;
    fillBlack(target, line, line + (visible ? from : width) * 3, black);
    if (!visible) continue;
    let source = start + (y + top) * row + first;
    const end = line + to * 3;
    for (let out = line + from * 3; out < end; out += 3, source += step) {
      target[out] = table[bytes[source]];
      target[out + 1] = table[256 + bytes[source + plane]];
      target[out + 2] = table[512 + bytes[source + 2 * plane]];
    }
    fillBlack(target, end, line + width * 3, black);
  }
}

function fillBlack(target: Float32Array, from: number, to: number, black: readonly [number, number, number]): void {
  for (let i = from; i < to; i += 3) {
    target[i] = black[0];
    target[i + 1] = black[1];
    target[i + 2] = black[2];
  }
}
