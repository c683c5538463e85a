import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, expect, test, vi } from 'vitest';
import type { Image } from '../image.js';
import { Random } from '../random.js';
import { readImage, writeImage } from './read-image.js';

const directory = mkdtempSync(join(tmpdir(), 'convkit-image-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** 3×2 pixels, each of another colour. */
const small: Image = {
  width: 3,
  height: 2,
  pixels: new Uint8Array([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 200, 200, 0, 255, 255, 255]),
};
const raw = { width: 3, height: 2, channels: 3 } as const;
const png = (): Promise<Buffer> => sharp(small.pixels, { raw }).png().toBuffer();

test('a PNG that was written is read back bit for bit, and no temporary file stays', async () => {
  const path = join(directory, 'small.png');
  await writeImage(path, small);
  expect(await readImage(path)).toEqual(small);
  expect(readdirSync(directory)).toEqual(['small.png']);
  rmSync(path);
});

test('a JPEG is read within its compression error, and other extensions are refused', async () => {
  const grey: Image = { width: 8, height: 8, pixels: new Uint8Array(192).fill(90) };
  await writeImage(join(directory, 'grey.jpg'), grey);
  const { pixels } = await readImage(join(directory, 'grey.jpg'));
  expect(Math.max(...pixels.map((value) => Math.abs(value - 90)))).toBeLessThanOrEqual(1);
  await expect(writeImage(join(directory, 'grey.tga'), grey)).rejects.toThrow('expected a name that ends in .png or .jpg');
});

test('a picture is turned upright by its EXIF orientation', async () => {
  const turned = await sharp(small.pixels, { raw })
    .withExif({ IFD0: { Orientation: '6' } })
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  const { width, height, pixels } = await readImage(turned);
  expect([width, height]).toEqual([2, 3]);
  expect([...pixels.subarray(0, 6)]).toEqual([10, 20, 30, 255, 0, 0]); // lower left comes first
});

test('alpha is dropped, not blended', async () => {
  const rgba = new Uint8Array([200, 100, 50, 0]);
  const bytes = await sharp(rgba, { raw: { width: 1, height: 1, channels: 4 } })
    .png()
    .toBuffer();
  expect([...(await readImage(bytes)).pixels]).toEqual([200, 100, 50]);
});

test('grey becomes RGB, and 16 bits become the upper 8', async () => {
  const grey = await sharp(new Uint8Array([7, 250]), { raw: { width: 2, height: 1, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  expect([...(await readImage(grey)).pixels]).toEqual([7, 7, 7, 250, 250, 250]);
  const deep = sharp(new Uint16Array([0x1234, 0xabcd, 0xff00]), { raw: { width: 1, height: 1, channels: 3 } }).toColourspace(
    'rgb16',
  );
  expect([...(await readImage(await deep.png().toBuffer())).pixels]).toEqual([0x12, 0xab, 0xff]);
});

test('CMYK is mixed ink by ink, as PIL does', async () => {
  const inks = new Uint8Array(16 * 16 * 4).map((_, i) => [0, 128, 255, 51][i % 4]);
  expect([...(await readImage(cmykTiff(inks, 16, 16))).pixels.subarray(0, 3)]).toEqual([204, 102, 0]);
});

test.each([
  ['an empty file', () => Buffer.alloc(0), /x\.png: expected a picture, found an empty file/],
  ['text', () => Buffer.from('not a picture at all'), /x\.png: cannot be decoded/],
  [
    'an SVG',
    () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"></svg>'),
    /x\.png: expected one of jpeg.*found svg/,
  ],
  [
    'a header that promises 2.5 gigapixels',
    async () => hugePng(await png()),
    /expected at most 100 megapixels, found 50000×50000/,
  ],
])('%s is a FormatError that names the file', async (_, make, message) => {
  const bytes = await make();
  await expect(readImage(bytes, 'x.png')).rejects.toThrow(message);
  await expect(readImage(bytes, 'x.png')).rejects.toHaveProperty('name', 'FormatError');
});

test('a truncated JPEG or PNG is a FormatError at every length', async () => {
  const noise = new Random(1);
  const pixels = Uint8Array.from({ length: 32 * 32 * 3 }, () => noise.int(256));
  const picture = sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } });
  for (const bytes of [await picture.clone().jpeg().toBuffer(), await picture.clone().png().toBuffer()]) {
    for (let part = 1; part < 10; part++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * part) / 10));
      await expect(readImage(cut, 'cut')).rejects.toHaveProperty('name', 'FormatError');
    }
  }
});

test('of 400 mutated pictures each is read or is a FormatError', async () => {
  const random = new Random(7);
  const originals = [
    await png(),
    await sharp(small.pixels, { raw }).jpeg().toBuffer(),
    await sharp(small.pixels, { raw }).webp().toBuffer(),
  ];
  for (let i = 0; i < 400; i++) {
    const bytes = Buffer.from(originals[i % 3]);
    for (let change = 0; change <= random.int(4); change++) bytes[random.int(bytes.length)] = random.int(256);
    const outcome = await readImage(bytes).then(
      ({ pixels, width, height }) => pixels.length === width * height * 3,
      (error: Error) => error.name === 'FormatError',
    );
    expect(outcome, `mutation ${i}`).toBe(true);
  }
});

test('a file that is not there is reported by its path', async () => {
  await expect(readImage(join(directory, 'none.png'))).rejects.toThrow(/Cannot read .*none\.png: it does not exist/);
});

test('without sharp the error says what to install', async () => {
  vi.resetModules();
  vi.doMock('sharp', () => {
    throw new Error('Cannot find package sharp');
  });
  const { readImage: read } = await import('./read-image.js');
  await expect(read(await png())).rejects.toThrow('npm install sharp');
  vi.doUnmock('sharp');
});

/** The PNG with 50,000 × 50,000 in its header (and the checksum right). */
function hugePng(bytes: Buffer): Buffer {
  const huge = Buffer.from(bytes);
  huge.writeUInt32BE(50_000, 16);
  huge.writeUInt32BE(50_000, 20);
  huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29);
  return huge;
}

/** An uncompressed TIFF of four inks. */
function cmykTiff(inks: Uint8Array, width: number, height: number): Buffer {
  const short = 3;
  const long = 4;
  const tags = [
    [256, short, 1, width],
    [257, short, 1, height],
    [258, short, 4, 122], // bits per sample: four numbers behind the directory
    [259, short, 1, 1],
    [262, short, 1, 5], // separated inks
    [273, long, 1, 130],
    [277, short, 1, 4],
    [278, short, 1, height],
    [279, long, 1, inks.length],
  ];
  const header = Buffer.alloc(130);
  header.write('II*\0', 0, 'latin1');
  header.writeUInt32LE(8, 4);
  header.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, type, count, value], i) => {
    const at = 10 + 12 * i;
    header.writeUInt16LE(tag, at);
    header.writeUInt16LE(type, at + 2);
    header.writeUInt32LE(count, at + 4);
    header.writeUInt32LE(value, at + 8);
  });
  for (let i = 0; i < 4; i++) header.writeUInt16LE(8, 122 + 2 * i);
  return Buffer.concat([header, inks]);
}
