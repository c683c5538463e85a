import type { Image, Random } from '@convkit/core';
import { type Labelled, moveObjects } from './labelled.js';

/** x' = a · x + b · y + c, y' = d · x + e · y + f. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Value of pixels that no image covers. */
export const GREY = 114;

export interface AffineRanges {
  /** Part of the output's side. */
  readonly translate: number;
  /** Factor of 1 ± this. */
  readonly scale: number;
  /** Degrees. */
  readonly degrees: number;
  /** Degrees. */
  readonly shear: number;
}

/**
 * A random turn, size and shear about the middle of the image, which then comes to lie in the middle of the output, shifted at
 * random. `factor`: what the size is changed by.
 */
export function drawAffine(
  random: Random,
  from: { readonly width: number; readonly height: number },
  to: { readonly width: number; readonly height: number },
  { translate, scale, degrees, shear }: AffineRanges,
): { matrix: Affine; factor: number } {
  const radians = (range: number): number => (random.uniform(-range, range) * Math.PI) / 180;
  const angle = radians(degrees);
  const factor = random.uniform(1 - scale, 1 + scale);
  const [shearX, shearY] = [Math.tan(radians(shear)), Math.tan(radians(shear))];
  const [cos, sin] = [factor * Math.cos(angle), factor * Math.sin(angle)];
  const [a, b, d, e] = [cos - shearX * sin, sin + shearX * cos, shearY * cos - sin, shearY * sin + cos];
  const centreX = random.uniform(0.5 - translate, 0.5 + translate) * to.width;
  const centreY = random.uniform(0.5 - translate, 0.5 + translate) * to.height;
  const [x0, y0] = [from.width / 2, from.height / 2];
  return { matrix: [a, b, centreX - a * x0 - b * y0, d, e, centreY - d * x0 - e * y0], factor };
}

/** An image and its objects through an affine map, into an image of width × height. */
export function warp(
  { image, objects }: Labelled,
  matrix: Affine,
  { width, height, factor = 1 }: { readonly width: number; readonly height: number; readonly factor?: number },
): Labelled {
  const [a, b, c, d, e, f] = matrix;
  return {
    image: warpImage(image, matrix, width, height),
    objects: moveObjects(objects, (x, y) => [a * x + b * y + c, d * x + e * y + f], { width, height, scale: factor }),
  };
}

/** Bilinear in the nearest four pixels; grey outside of the image. */
function warpImage({ pixels, width: w, height: h }: Image, [a, b, c, d, e, f]: Affine, width: number, height: number): Image {
  const result = new Uint8Array(width * height * 3);
  const scale = 1 / (a * e - b * d);
  const value = (x: number, y: number, channel: number): number =>
    x < 0 || y < 0 || x >= w || y >= h ? GREY : pixels[(y * w + x) * 3 + channel];
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += 3) {
      const [x, y] = [column + 0.5 - c, row + 0.5 - f];
      const sourceX = (e * x - b * y) * scale - 0.5;
      const sourceY = (a * y - d * x) * scale - 0.5;
      const left = Math.floor(sourceX);
      const top = Math.floor(sourceY);
      if (left < -1 || top < -1 || left >= w || top >= h) {
        result[to] = result[to + 1] = result[to + 2] = GREY;
        continue;
      }
      const right = sourceX - left;
      const low = sourceY - top;
      for (let channel = 0; channel < 3; channel++) {
        const upper = value(left, top, channel) * (1 - right) + value(left + 1, top, channel) * right;
        const lower = value(left, top + 1, channel) * (1 - right) + value(left + 1, top + 1, channel) * right;
        result[to + channel] = upper * (1 - low) + lower * low + 0.5;
      }
    }
  }
  return { pixels: result, width, height };
}

/** The affine map that fits an image into width × height, in the middle, without changing its proportions. */
export function fitMatrix(image: Image, { width, height }: { readonly width: number; readonly height: number }): Affine {
  const scale = Math.min(width / image.width, height / image.height);
  return [scale, 0, (width - image.width * scale) / 2, 0, scale, (height - image.height * scale) / 2];
}

/** First `first`, then `second`. */
export function compose(first: Affine, second: Affine): Affine {
  const [a, b, c, d, e, f] = first;
  const [g, h, i, j, k, l] = second;
  return [g * a + h * d, g * b + h * e, g * c + h * f + i, j * a + k * d, j * b + k * e, j * c + k * f + l];
}
