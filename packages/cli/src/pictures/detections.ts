import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type { Image } from '@convkit/core';
import { type Detection, drawDetections } from '@convkit/core/detection';
import { writeFileAtomic } from '@convkit/core/node';

/** The font's parts by script; the machine may have no fonts at all. */
const SCRIPTS = ['latin', 'latin-ext', 'greek', 'cyrillic'];

const family = (script: string): string => `Inter ${script}`;

/**
 * Writes a picture with its detections drawn over it, as PNG, or as JPEG where the name ends in .jpg or .jpeg; the file appears
 * whole or not at all.
 */
export async function writeDetections(path: string, image: Image, detections: readonly Detection[]): Promise<void> {
  const canvas = await startCanvas(image);
  const families = [...SCRIPTS.map((script) => `"${family(script)}"`), 'sans-serif'].join(', ');
  drawDetections(canvas.getContext('2d'), detections, { ...image, fontFamily: families });
  const isJpeg = /^\.jpe?g$/i.test(extname(path));
  await writeFileAtomic(path, await (isJpeg ? canvas.encode('jpeg', 92) : canvas.encode('png')));
}

/** A canvas with the picture on it. It is loaded only here, so that no other command waits for it. */
async function startCanvas({ pixels, width, height }: Image) {
  const { GlobalFonts, createCanvas } = await import('@napi-rs/canvas');
  const require = createRequire(import.meta.url);
  for (const script of SCRIPTS.filter((name) => !GlobalFonts.has(family(name)))) {
    GlobalFonts.registerFromPath(require.resolve(`@fontsource/inter/files/inter-${script}-600-normal.woff2`), family(script));
  }
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  const picture = context.createImageData(width, height);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    picture.data[to] = pixels[from];
    picture.data[to + 1] = pixels[from + 1];
    picture.data[to + 2] = pixels[from + 2];
    picture.data[to + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}
