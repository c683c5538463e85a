import { extname } from 'node:path';
import type Sharp from 'sharp';
import { ArgumentError, ConvkitError, FormatError } from '../errors.js';
import type { Image } from '../image.js';
import { readBytes, writeFileAtomic } from './files.js';

/** Largest picture that is decoded; its size is read from the header first. */
export const maxImageMegapixels = 100;

const readable = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif'];

/**
 * Decodes a JPEG, PNG, WebP, GIF, TIFF or AVIF picture to RGB: [height, width, 3], 8 bits.
 *
 * It is turned upright by its EXIF orientation; grey, CMYK and 16-bit pictures become 8-bit RGB. Alpha is dropped and colour
 * profiles are ignored, as PIL's `convert('RGB')` does, by which published accuracies were measured. Of an animation the first frame.
 *
 * @param name what errors call the picture; default: its path
 * @throws FormatError when the file is empty, truncated, corrupt, not one of these formats, or larger than 100 megapixels.
 * @throws ConvkitError when the file cannot be read, or the package `sharp` is not installed.
 */
export async function readImage(
  source: string | Uint8Array,
  name = typeof source === 'string' ? source : 'image',
): Promise<Image> {
  const sharp = await loadSharp();
  const bytes = typeof source === 'string' ? await readBytes(source) : source;
  if (bytes.length === 0) throw new FormatError(`${name}: expected a picture, found an empty file`);
  try {
    const options = { failOn: 'error', limitInputPixels: false, ignoreIcc: true } as const;
    const { format, space, width, height, hasAlpha } = await sharp(bytes, options).metadata();
    if (!readable.includes(format)) throw new FormatError(`${name}: expected one of ${readable.join(', ')}, found ${format}`);
    checkPixels(name, width, height);
    const upright = sharp(bytes, options).autoOrient();
    const opaque = hasAlpha ? upright.removeAlpha() : upright;
    const inks = space === 'cmyk';
    const converted = inks ? opaque.pipelineColourspace('cmyk').toColourspace('cmyk') : opaque.toColourspace('srgb');
    const { data, info } = await converted.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { pixels: inks ? inksToRgb(data) : threeChannels(data, info.channels), width: info.width, height: info.height };
  } catch (error) {
    if (error instanceof ConvkitError) throw error;
    throw new FormatError(`${name}: cannot be decoded (${reason(error)}); replace the file`, { cause: error });
  }
}

/**
 * Writes a PNG or JPEG (quality 92) picture, chosen by the extension; the file appears whole or not at all.
 *
 * @throws ArgumentError for another extension.
 * @throws ConvkitError when the file cannot be written, or the package `sharp` is not installed.
 */
export async function writeImage(path: string, { pixels, width, height }: Image): Promise<void> {
  const extension = extname(path).toLowerCase();
  const isJpeg = extension === '.jpg' || extension === '.jpeg';
  if (!isJpeg && extension !== '.png') throw new ArgumentError(`${path}: expected a name that ends in .png or .jpg`);
  const sharp = await loadSharp();
  const picture = sharp(pixels, { raw: { width, height, channels: 3 } });
  const bytes = await (isJpeg ? picture.jpeg({ quality: 92 }) : picture.png()).toBuffer();
  await writeFileAtomic(path, bytes);
}

async function loadSharp(): Promise<typeof Sharp> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    throw new ConvkitError(`reading and writing pictures needs the package sharp (${reason(error)}); run: npm install sharp`, {
      cause: error,
    });
  }
}

function checkPixels(name: string, width: number, height: number): void {
  const megapixels = (width * height) / 1e6;
  if (megapixels <= maxImageMegapixels) return;
  throw new FormatError(
    `${name}: expected at most ${maxImageMegapixels} megapixels, found ${width}×${height} (${Math.ceil(megapixels)}); scale it down first`,
  );
}

function threeChannels(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const pixels = new Uint8Array((data.length / channels) * 3);
  // Grey (and alpha): the one value three times. More than three: the first three.
  const second = channels > 2 ? 1 : 0;
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    pixels[to] = data[from];
    pixels[to + 1] = data[from + second];
    pixels[to + 2] = data[from + 2 * second];
  }
  return pixels;
}

/** Ink by ink, without a profile: red = white − black − cyan of what is left; as PIL. */
function inksToRgb(data: Uint8Array): Uint8Array {
  const pixels = new Uint8ClampedArray((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const light = 255 - data[from + 3];
    for (let ink = 0; ink < 3; ink++) pixels[to + ink] = Math.round(light - (data[from + ink] * light) / 255);
  }
  return new Uint8Array(pixels.buffer);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0] : String(error);
}
