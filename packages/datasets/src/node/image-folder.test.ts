import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { writeImage } from '@convkit/core/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loader } from '../loader.js';
import { imageFolder } from './image-folder.js';

const root = mkdtempSync(join(tmpdir(), 'convkit-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const preprocessing = { size: 2, mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** A folder with an empty file for each path; a path that ends in / is a folder. */
function tree(...paths: string[]): string {
  const dir = mkdtempSync(join(root, 't-'));
  for (const path of paths) {
    mkdirSync(path.endsWith('/') ? join(dir, path) : dirname(join(dir, path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(dir, path), '');
  }
  return dir;
}

const ten = (name: string): string[] => Array.from({ length: 10 }, (_, i) => `${name}/${i}.png`);

test('each subfolder is a class, sorted by name; deeper files count, hidden and other files do not', async () => {
  const dir = tree(
    'dog/b.jpg',
    'dog/a.PNG',
    'cat/deep/er/x.webp',
    'cat/.hidden.png',
    'cat/notes.txt',
    '.git/x.png',
    'README.md',
    'cat/.thumbs/y.png',
  );
  const data = await imageFolder(dir);
  expect(data.classes).toEqual(['cat', 'dog']);
  expect(data.paths.map((path) => relative(dir, path))).toEqual(['cat/deep/er/x.webp', 'dog/a.PNG', 'dog/b.jpg']);
  expect([0, 1, 2].map((i) => data.label(i))).toEqual([0, 1, 1]);
  expect(() => data.label(3)).toThrow('expected an index of 0 … 2, found 3');
});

test('without train and test folders a share of each class is held out, the same for the same seed', async () => {
  const dir = tree(...ten('a'), ...ten('b'), 'c/1.png', 'c/2.png');
  const train = await imageFolder(dir, { split: 'train', fraction: 0.3, seed: 5 });
  const held = await imageFolder(dir, { split: 'test', fraction: 0.3, seed: 5 });
  expect([train.length, held.length]).toEqual([7 + 7 + 1, 3 + 3 + 1]);
  expect([...train.paths, ...held.paths].sort()).toEqual((await imageFolder(dir)).paths);
  expect((await imageFolder(dir, { split: 'test', fraction: 0.3, seed: 5 })).paths).toEqual(held.paths);
  expect((await imageFolder(dir, { split: 'test', fraction: 0.3, seed: 6 })).paths).not.toEqual(held.paths);
});

test('folders train and val are the splits, with the classes of train', async () => {
  const dir = tree('train/a/1.png', 'train/b/1.png', 'train/b/2.png', 'val/b/9.png');
  const [train, held, all] = await Promise.all((['train', 'test', 'all'] as const).map((split) => imageFolder(dir, { split })));
  expect([train.length, held.length, all.length]).toEqual([3, 1, 4]);
  expect([held.classes, held.label(0)]).toEqual([['a', 'b'], 1]);
});

test.each([
  [
    'a folder that is not there',
    () => join(root, 'none'),
    /none: expected a folder with a subfolder for each class, but it cannot be read \(ENOENT\)/,
  ],
  ['an empty folder', () => tree(), /expected a subfolder for each class, found none$/],
  ['loose images', () => tree('a.png', 'b.jpg'), /found none \(but 2 images: put them into one\)/],
  ['a class without images', () => tree('a/1.png', 'b/', 'c/x.bmp'), /class b, c has no image \(jpg, /],
  ['a validation class that is not trained', () => tree('train/a/1.png', 'val/z/1.png'), /class z is not in/],
])('%s is a clear error', async (_, make, message) => {
  await expect(imageFolder(make(), { split: 'test' })).rejects.toThrow(message);
});

test('a fraction outside of 0 … 1 is refused', async () => {
  await expect(imageFolder(tree('a/1.png'), { fraction: 1 })).rejects.toThrow('expected a fraction between 0 and 1, found 1');
});

const mixed = mkdtempSync(join(root, 'mixed-'));
beforeAll(async () => {
  for (let i = 0; i < 100; i++) {
    const pixels = new Uint8Array(3 * 4 * 3).fill(i);
    mkdirSync(join(mixed, `class${i % 2}`), { recursive: true });
    await writeImage(join(mixed, `class${i % 2}`, `${String(i).padStart(3, '0')}.png`), { pixels, width: 4, height: 3 });
  }
  writeFileSync(join(mixed, 'class1', '033.png'), 'not a picture');
});

test('images of a folder are loaded in their order, resized', async () => {
  const data = await imageFolder(mixed);
  for await (const batch of loader(data, { batchSize: 8, preprocessing }).epoch({ epoch: 0, seed: 0 })) {
    expect([...batch.labels]).toEqual(new Array(8).fill(0));
    expect([0, 1, 2].map((i) => Math.round(batch.images[i * 12] * 255))).toEqual([0, 2, 4]);
    break;
  }
});

test('a corrupt image stops the run by its path, or is left out and reported within the budget', async () => {
  const data = await imageFolder(mixed);
  const read = async (maxCorrupt: number): Promise<number> => {
    let images = 0;
    const source = loader(data, { batchSize: 8, preprocessing, shuffle: true, maxCorrupt });
    for await (const { labels } of source.epoch({ epoch: 0, seed: 0 })) images += labels.length;
    expect(source.corrupt).toEqual([expect.stringContaining(join('class1', '033.png'))]);
    return images;
  };
  await expect(read(0)).rejects.toThrow(/class1.033\.png: cannot be decoded/);
  expect(await read(1)).toBe(99);
});
