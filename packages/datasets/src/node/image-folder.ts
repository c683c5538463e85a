import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ArgumentError, ConvkitError, Random } from '@convkit/core';
import type { Image } from '@convkit/core';
import { readImage } from '@convkit/core/node';
import type { Dataset } from '../dataset.js';

const extensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif']);
const trainNames = ['train', 'training'];
const heldNames = ['val', 'valid', 'validation', 'test'];

/** Which images of a folder are taken. */
export interface ImageFolderOptions {
  /** Default: 'all' */
  split?: 'all' | 'train' | 'test';
  /** Share of each class that 'test' takes, where the folder has no train and val or test of its own. Default: 0.2 */
  fraction?: number;
  /** Chooses which images these are. Default: 0 */
  seed?: number;
}

/** Images on disk; they are decoded when asked for. */
export interface ImageFolder extends Dataset {
  readonly paths: readonly string[];
  image(i: number): Promise<Image>;
}

/**
 * A data set with a subfolder for each class, sorted by name: `dir/cat/1.jpg`, or `dir/train/cat/1.jpg` and `dir/val/cat/9.jpg`.
 *
 * Deeper folders count to their class; hidden files and other kinds of files are passed over. JPEG, PNG, WebP, GIF, TIFF and AVIF.
 *
 * @throws ConvkitError when the folder is not there, has no class folders, or a class has no images.
 */
export async function imageFolder(
  dir: string,
  { split = 'all', fraction = 0.2, seed = 0 }: ImageFolderOptions = {},
): Promise<ImageFolder> {
  if (!(fraction > 0 && fraction < 1))
    throw new ArgumentError(`imageFolder: expected a fraction between 0 and 1, found ${fraction}`);
  const folders = await subfolders(dir);
  const train = folders.find((name) => trainNames.includes(name));
  const held = heldNames.map((name) => folders.find((folder) => folder === name)).find((name) => name !== undefined);
  if (train === undefined || held === undefined) {
    const files = await filesByClass(dir, folders);
    return fromFiles(dir, folders, (name) =>
      takeShare(files.get(name) ?? [], split, fraction, new Random(seed).child('split').child(name)),
    );
  }
  const classes = await subfolders(join(dir, train));
  const heldClasses = await subfolders(join(dir, held));
  const unknown = heldClasses.filter((name) => !classes.includes(name));
  if (unknown.length > 0) throw new ConvkitError(`${join(dir, held)}: class ${unknown.join(', ')} is not in ${join(dir, train)}`);
  const trainFiles = split === 'test' ? undefined : await filesByClass(join(dir, train), classes);
  const heldFiles = split === 'train' ? undefined : await filesByClass(join(dir, held), heldClasses);
  return fromFiles(dir, classes, (name) => [...(trainFiles?.get(name) ?? []), ...(heldFiles?.get(name) ?? [])]);
}

function fromFiles(dir: string, classes: readonly string[], filesOf: (name: string) => readonly string[]): ImageFolder {
  const samples = classes.flatMap((name, label) => filesOf(name).map((path) => ({ path, label })));
  const at = (i: number): (typeof samples)[number] => {
    if (!(i in samples)) throw new ArgumentError(`${dir}: expected an index of 0 … ${samples.length - 1}, found ${i}`);
    return samples[i];
  };
  return {
    name: dir,
    classes,
    length: samples.length,
    paths: samples.map(({ path }) => path),
    label: (i) => at(i).label,
    image: (i) => readImage(at(i).path),
    describe: (i) => at(i).path,
  };
}

/** Of two images or more one goes to the test at least, and one stays. */
function takeShare(
  files: readonly string[],
  split: 'all' | 'train' | 'test',
  fraction: number,
  random: Random,
): readonly string[] {
  if (split === 'all') return files;
  const count = Math.min(files.length - 1, Math.max(1, Math.round(files.length * fraction)));
  const test = new Set(random.permutation(files.length).subarray(0, count));
  return files.filter((_, i) => test.has(i) === (split === 'test'));
}

async function subfolders(dir: string): Promise<string[]> {
  const entries = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    throw new ConvkitError(`${dir}: expected a folder with a subfolder for each class, but it cannot be read (${error.code})`, {
      cause: error,
    });
  });
  const names: string[] = [];
  for (const name of entries.filter(isVisible)) if ((await stat(join(dir, name))).isDirectory()) names.push(name);
  if (names.length === 0) {
    const images = entries.filter(isImage).length;
    throw new ConvkitError(
      `${dir}: expected a subfolder for each class, found none${images ? ` (but ${images} images: put them into one)` : ''}`,
    );
  }
  return names.sort();
}

async function filesByClass(dir: string, classes: readonly string[]): Promise<Map<string, string[]>> {
  const files = new Map<string, string[]>();
  for (const name of classes) files.set(name, await imagesBelow(join(dir, name)));
  const empty = classes.filter((name) => files.get(name)?.length === 0);
  if (empty.length > 0) {
    const list = [...extensions].map((extension) => extension.slice(1)).join(', ');
    throw new ConvkitError(`${dir}: class ${empty.join(', ')} has no image (${list}); add some, or remove the folder`);
  }
  return files;
}

/** Paths of the images in a folder and those below it, sorted. */
export async function imagesBelow(dir: string): Promise<string[]> {
  const entries = (await readdir(dir, { withFileTypes: true })).filter(({ name }) => isVisible(name));
  const found = entries.filter((entry) => !entry.isDirectory() && isImage(entry.name)).map(({ name }) => join(dir, name));
  for (const entry of entries) if (entry.isDirectory()) found.push(...(await imagesBelow(join(dir, entry.name))));
  return found.sort();
}

function isVisible(name: string): boolean {
  return !name.startsWith('.');
}

/** Is this a visible file with the extension of a picture? */
export function isImage(name: string): boolean {
  return isVisible(name) && extensions.has(extname(name).toLowerCase());
}
