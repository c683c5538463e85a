import { ArgumentError } from '../errors.js';
import type { Image, Preprocessing } from '../image.js';
import { resize } from './resize.js';

/**
 * Brings an image into the form a net was trained on: resize, centre crop, pixels/255, minus `mean`, over `std`.
 *
 * @returns [h, w, 3], row by row.
 */
export function preprocess(image: Image, preprocessing: Preprocessing): Float32Array {
  const { pixels } = preprocessSize(image, preprocessing);
  const result = new Float32Array(pixels.length);
  for (let channel = 0; channel < 3; channel++) {
    const mean = preprocessing.mean[channel];
    const std = preprocessing.std[channel];
    for (let i = channel; i < pixels.length; i += 3) result[i] = (pixels[i] / 255 - mean) / std;
  }
  return result;
}

/** The geometric half of `preprocess`: resize and centre crop to the size of the net's input, still 8-bit. */
export function preprocessSize(image: Image, { size, resize: shorter, interpolation }: Preprocessing): Image {
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  if (shorter === undefined) return resize(image, [width, height], interpolation);
  // The longer side is cut to an integer, as torchvision's Resize does.
  const wide = image.width > image.height;
  const longer = Math.trunc((shorter * Math.max(image.width, image.height)) / Math.min(image.width, image.height));
  return centreCrop(resize(image, wide ? [longer, shorter] : [shorter, longer], interpolation), [height, width]);
}

/**
 * The middle of an image: [H, W, 3] → [height, width, 3]; a smaller image is first surrounded by black.
 *
 * Halves round to even, as in torchvision's CenterCrop.
 */
export function centreCrop(image: Image, [height, width]: readonly [height: number, width: number]): Image {
  const left = image.width < width ? -Math.floor((width - image.width) / 2) : roundHalfToEven((image.width - width) / 2);
  const top = image.height < height ? -Math.floor((height - image.height) / 2) : roundHalfToEven((image.height - height) / 2);
  return crop(image, { left, top, width, height });
}

/** The rectangle of an image; what lies outside of the image is black. */
export function crop(image: Image, box: { left: number; top: number; width: number; height: number }): Image {
  const { left, top, width, height } = box;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new ArgumentError(`crop: expected a width and height of at least 1, found ${width}×${height}`);
  }
  const pixels = new Uint8Array(width * height * 3);
  const from = Math.max(0, left);
  const to = Math.min(image.width, left + width);
  for (let y = Math.max(0, -top); from < to && y < height && y + top < image.height; y++) {
    const source = (y + top) * image.width;
    pixels.set(image.pixels.subarray((source + from) * 3, (source + to) * 3), (y * width + from - left) * 3);
  }
  return { pixels, width, height };
}

function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
