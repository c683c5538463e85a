import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import type { Image } from '@convkit/core';
import sharp from 'sharp';
import { readFrames } from './frames.js';

async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield await Promise.resolve(bytes.subarray(at, at + length));
}

async function all(bytes: Uint8Array, length: number, size?: { width: number; height: number }): Promise<Image[]> {
  const frames: Image[] = [];
  for await (const frame of readFrames(pieces(bytes, length), size)) frames.push(frame);
  return frames;
}

const picture = (width: number, height: number, value: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: value, g: 255 - value, b: 7 } } });

test.each([1, 100, 1 << 16])('JPEG and PNG pictures are told apart in a stream of pieces of %i bytes', async (length) => {
  const files = [
    await picture(20, 10, 10).jpeg().toBuffer(),
    await picture(31, 17, 90)
      .jpeg({ progressive: true, chromaSubsampling: '4:4:4' })
      .withExif({ IFD0: { Artist: '\xff\xd9' } })
      .toBuffer(),
    await picture(5, 40, 200).png().toBuffer(),
    await picture(8, 8, 50).jpeg().toBuffer(),
  ];
  const frames = await all(Buffer.concat(files), length);
  expect(frames.map(({ width, height }) => [width, height])).toEqual([[20, 10], [31, 17], [5, 40], [8, 8]]); // prettier-ignore
  expect([...frames[2].pixels.subarray(0, 3)]).toEqual([200, 55, 7]);
});

test('raw frames keep their bytes', async () => {
  const bytes = Uint8Array.from({ length: 3 * 24 }, (_, i) => i);
  const frames = await all(bytes, 7, { width: 4, height: 2 });
  expect(frames.map(({ pixels }) => pixels[0])).toEqual([0, 24, 48]);
  expect(frames[2]).toEqual({ pixels: bytes.subarray(48), width: 4, height: 2 });
});

test('what is no picture, and what ends within one, is refused with the number of the frame', async () => {
  const file = await picture(20, 10, 10).jpeg().toBuffer();
  await expect(all(Buffer.concat([file, Buffer.from('hello there')]), 64)).rejects.toThrow('frame 1: expected a JPEG or PNG');
  await expect(all(file.subarray(0, file.length - 3), 64)).rejects.toThrow(
    `frame 0: the stream ends after ${file.length - 3} bytes`,
  );
  await expect(all(new Uint8Array(25), 64, { width: 4, height: 2 })).rejects.toThrow('frame 1: the stream ends after 1 bytes');
  expect(await all(new Uint8Array(0), 64)).toEqual([]);
});
