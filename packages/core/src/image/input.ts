import { Tensor } from '@tensorflow/tfjs-core';
import { host } from '../backend/host.js';
import { ArgumentError, ShapeError } from '../errors.js';
import type { Image } from '../image.js';
import type * as Node from '../node/index.js';

/** What a browser can draw on a canvas: `<img>`, `<canvas>`, `<video>`, `ImageBitmap`, `OffscreenCanvas`. */
export type Drawable = HTMLImageElement | HTMLCanvasElement | HTMLVideoElement | ImageBitmap | OffscreenCanvas;

/** Rows of pixels, each red, green and blue in 0 … 255: [height][width][3]. */
export type PixelRows = readonly (readonly (readonly number[])[])[];

/**
 * An image in one of the forms that programs have it in: an `Image`; an `ImageData`, whose alpha is dropped; something that a
 * browser can draw; the bytes of a picture file, or in Node its path; rows of pixels; or a tensor [H, W, 3] of dtype int32
 * with pixels in 0 … 255, which stays the caller's.
 */
export type ImageInput = Image | ImageData | Drawable | string | Uint8Array | PixelRows | Tensor;

/** The image as 8-bit RGB. Throws ArgumentError, or ShapeError for a tensor, of an input that is none of these. */
export async function toImage(input: ImageInput): Promise<Image> {
  if (typeof input === 'string' || input instanceof Uint8Array) return decode(input);
  if (input instanceof Tensor) return fromTensor(input);
  if (isRows(input)) return fromRows(input);
  if ('pixels' in input) return input;
  if ('data' in input) return withoutAlpha(input);
  if (typeof document !== 'undefined' || typeof OffscreenCanvas !== 'undefined') return draw(input);
  throw new ArgumentError('Expected an image (pixels, width, height), a path, bytes, rows of pixels or a tensor.');
}

const isRows = (input: unknown): input is PixelRows => Array.isArray(input);

function fromRows(rows: PixelRows): Image {
  const [height, width] = [rows.length, rows[0]?.length ?? 0];
  const pixels = Uint8Array.from(rows.flat(2));
  if (width === 0 || pixels.length !== height * width * 3 || !rows.every((row) => row.length === width)) {
    throw new ArgumentError('An image as rows needs [height][width][3]: rows of one length, each pixel red, green and blue.');
  }
  return { pixels, width, height };
}

async function fromTensor(tensor: Tensor): Promise<Image> {
  const [height, width, channels] = tensor.shape;
  if (tensor.rank !== 3 || channels !== 3 || tensor.dtype !== 'int32') {
    throw new ShapeError(`Expected an int32 tensor [H, W, 3] of pixels 0 … 255, found ${tensor.dtype} [${tensor.shape}].`);
  }
  return { pixels: Uint8Array.from(await tensor.data()), width, height };
}

function withoutAlpha({ data, width, height }: { data: Uint8ClampedArray; width: number; height: number }): Image {
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += 4, to += 3) pixels.set(data.subarray(from, from + 3), to);
  return { pixels, width, height };
}

/** Draws on a canvas of the picture's own size, whatever its size on the page. */
function draw(input: Drawable): Image {
  const [width, height] = sizeOf(input);
  if (width === 0 || height === 0) throw new ArgumentError('The picture has no pixels yet: wait until it is loaded.');
  const canvas = typeof OffscreenCanvas === 'undefined' ? document.createElement('canvas') : new OffscreenCanvas(1, 1);
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | null;
  if (!context) throw new ArgumentError('The browser has no 2D canvas to read the picture from: pass its ImageData.');
  context.drawImage(input, 0, 0);
  return withoutAlpha(context.getImageData(0, 0, width, height));
}

function sizeOf(input: Drawable): [width: number, height: number] {
  if ('naturalWidth' in input) return [input.naturalWidth, input.naturalHeight];
  if ('videoWidth' in input) return [input.videoWidth, input.videoHeight];
  return [input.width, input.height];
}

async function decode(source: string | Uint8Array): Promise<Image> {
  if (host) {
    // its name is put together, so that no bundler for browsers follows it
    const name = ['@convkit', 'core', 'node'].join('/');
    const { readImage } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof Node;
    return readImage(source);
  }
  if (typeof source === 'string')
    throw new ArgumentError(`Paths are read in Node only: load ${source} as an <img>, or pass its bytes.`);
  const bitmap = await createImageBitmap(new Blob([source as Uint8Array<ArrayBuffer>]));
  try {
    return draw(bitmap);
  } finally {
    bitmap.close();
  }
}
