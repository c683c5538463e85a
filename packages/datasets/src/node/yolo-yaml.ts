import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ConvkitError, FormatError } from '@convkit/core';
import { parse } from 'yaml';
import type { YoloLabelFormat } from '../detection/yolo-labels.js';

/** What a data.yaml says. */
export interface YoloYaml {
  readonly path: string;
  readonly classes: readonly string[];
  readonly keypointShape: YoloLabelFormat['keypointShape'];
  /** Folders of images, or text files that list images, for a split; absolute */
  sources(split: 'train' | 'val' | 'test'): Promise<readonly string[]>;
}

/**
 * Reads the data.yaml of a data set with YOLO's labels: `names`, `train`, `val`, `test`, and `path`, to which these are relative.
 *
 * @param dir the file, or the folder with one *.yaml
 * @throws ConvkitError when it is not there, FormatError naming the file and what is wrong.
 */
export async function readYoloYaml(dir: string): Promise<YoloYaml> {
  const path = await findYaml(dir);
  const fields = await readFields(path);
  const { names, nc, path: root = '.', kpt_shape: shape } = fields;
  const classes = readNames(names, path);
  if (nc !== undefined && nc !== classes.length)
    throw new FormatError(`${path}: expected nc to be the number of names (${classes.length}), found ${String(nc)}`);
  if (typeof root !== 'string') throw new FormatError(`${path}: expected path to be a folder, found ${JSON.stringify(root)}`);
  return {
    path,
    classes,
    keypointShape: shape === undefined ? undefined : readShape(shape, path),
    async sources(split) {
      const value = fields[split];
      const list = Array.isArray(value) ? (value as unknown[]) : [value];
      const texts = list.filter((entry): entry is string => typeof entry === 'string' && entry !== '');
      if (texts.length < list.length)
        throw new FormatError(
          `${path}: expected ${split} to be a folder or list of images, found ${JSON.stringify(value) ?? 'nothing'}`,
        );
      return Promise.all(texts.map((text) => locate(resolve(dirname(path), root), text, path)));
    },
  };
}

async function findYaml(dir: string): Promise<string> {
  if (/\.ya?ml$/i.test(dir)) return dir;
  const names = (await readdir(dir).catch(() => [] as string[])).filter((name) => /\.ya?ml$/i.test(name));
  const chosen = names.length === 1 ? names[0] : names.find((name) => /^data\.ya?ml$/i.test(name));
  if (chosen === undefined)
    throw new ConvkitError(`${dir}: expected a data.yaml, found ${names.join(', ') || 'none'}; name the file`);
  return join(dir, chosen);
}

async function readFields(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ConvkitError(`${path}: cannot be read (${error.code})`, { cause: error });
  });
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new FormatError(`${path}: not YAML: ${(error as Error).message.split('\n')[0]}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FormatError(`${path}: expected names, train and val, found ${JSON.stringify(value)}`);
  return value as Readonly<Record<string, unknown>>;
}

/** A list, or a map from 0 … n − 1. */
function readNames(names: unknown, path: string): readonly string[] {
  const values: unknown[] = typeof names === 'object' && names !== null ? Object.values(names) : [];
  const keys = Object.keys(names ?? {}).map(Number);
  if (values.length === 0 || keys.some((key, i) => key !== i))
    throw new FormatError(
      `${path}: expected names to be a list, or a map from 0 … n − 1, found ${JSON.stringify(names) ?? 'nothing'}`,
    );
  return values.map(String);
}

function readShape(shape: unknown, path: string): readonly [number, 2 | 3] {
  const [count, dimensions] = Array.isArray(shape) ? (shape as unknown[]) : [];
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || (dimensions !== 2 && dimensions !== 3))
    throw new FormatError(`${path}: expected kpt_shape to be [keypoints, 2 or 3], found ${JSON.stringify(shape)}`);
  return [count, dimensions];
}

/** `text` below `root`; tools that export data sets also write ../train/images for train/images. */
async function locate(root: string, text: string, yaml: string): Promise<string> {
  const candidates = [resolve(root, text), ...(text.startsWith('../') ? [resolve(root, text.slice(3))] : [])];
  for (const candidate of candidates) if (await stat(candidate).catch(() => undefined)) return candidate;
  throw new ConvkitError(`${yaml}: ${text} is not there; looked for ${candidates.join(', ')}`);
}
