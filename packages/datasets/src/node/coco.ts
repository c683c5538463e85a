import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ArgumentError, ConvkitError, FormatError } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';
import { readImage } from '@convkit/core/node';
import type { CocoAnnotations } from '../detection/coco-annotations.js';
import type { DetectionDataset } from '../detection/dataset.js';
import { cocoArchives, cocoServer, fetchCocoArchive, isDirectory } from './coco-archives.js';
import type { CocoArchive, CocoProgress } from './coco-archives.js';
import { readCocoFile } from './coco-file.js';

/** Where COCO, or a data set in its format, lies. */
export interface CocoDetectionOptions {
  /** Default: 'val' */
  readonly split?: 'train' | 'val';
  /** Which annotations: boxes and masks of all classes, or people with their keypoints. Default: 'instances' */
  readonly kind?: 'instances' | 'person_keypoints';
  /** Default: $CONVKIT_DATA/coco, else ~/.cache/convkit/coco */
  readonly dir?: string;
  /** The annotations' file and the folder of images, where they do not lie in `dir` as usual; give both */
  readonly annotations?: string;
  readonly images?: string;
  /** Fetch what is not there (val: 1.1 GB, train: 19.6 GB). Default: true, unless `dir` or `annotations` is given */
  readonly download?: boolean;
  readonly onProgress?: (progress: CocoProgress) => void;
  readonly signal?: AbortSignal;
}

/** Images with COCO's annotations. */
export interface CocoDetection extends DetectionDataset {
  readonly ids: readonly number[];
  /** Of each class: results for COCO's tools need them. */
  readonly categoryIds: readonly number[];
  objects(i: number): readonly GroundTruth[];
  size(i: number): { readonly width: number; readonly height: number };
}

/** Where the files of a split are. */
interface Place {
  readonly annotations: string;
  readonly images: string;
}

/**
 * COCO's images with their boxes, masks, crowds and keypoints; images without an object included. Classes are in the order of the
 * category ids: `cocoClasses` for the 80 of COCO.
 *
 * In `dir` lie either annotations/instances_val2017.json and val2017/ (or images/val2017/), as COCO's archives have them, or one
 * instances*.json and images/. Files that are there are used without a look at the network. Else the official archives are downloaded
 * (the environment variable CONVKIT_COCO_URL names a mirror), checked by MD5, and unpacked into folders that appear only when they are whole.
 *
 * @throws ConvkitError when files are not there and may not, or cannot, be downloaded, or when images of the annotations are missing.
 * @throws FormatError naming the file and the annotation or image that is broken.
 * @see Lin et al., Microsoft COCO: Common Objects in Context, 2014; https://cocodataset.org/#format-data
 */
export function cocoDetection(options: CocoDetectionOptions = {}): Promise<CocoDetection> {
  return loadCoco(options, cocoArchives);
}

/** `cocoDetection` with other archives: for tests. */
export async function loadCoco(
  options: CocoDetectionOptions,
  archives: Readonly<Record<'annotations' | 'train' | 'val', CocoArchive>>,
): Promise<CocoDetection> {
  const { split = 'val', kind = 'instances', dir = defaultDirectory(), signal } = options;
  if ((options.annotations === undefined) !== (options.images === undefined))
    throw new ArgumentError('cocoDetection: expected both `annotations` and `images`, or none of them');
  let place: Place | undefined;
  if (options.annotations !== undefined && options.images !== undefined)
    place = { annotations: options.annotations, images: options.images };
  else place = await findPlace(dir, kind, split);
  if (place === undefined) {
    if (!(options.download ?? options.dir === undefined)) throw new ConvkitError(`cocoDetection: ${notFound(dir, kind, split)}`);
    const server = process.env['CONVKIT_COCO_URL'] || cocoServer;
    for (const archive of [archives.annotations, archives[split]]) await fetchCocoArchive(dir, server, archive, options);
    place = await findPlace(dir, kind, split);
    if (place === undefined) throw new FormatError(`cocoDetection: ${notFound(dir, kind, split)} after the download`);
  }
  const annotations = await readCocoFile(place.annotations, signal);
  await checkImagesPresent(annotations, place);
  return toDataset(
    annotations,
    place,
    options.dir === undefined && !options.annotations ? `coco ${split}` : basename(place.annotations),
  );
}

function toDataset(annotations: CocoAnnotations, place: Place, name: string): CocoDetection {
  const { images, categories, notice } = annotations;
  const at = (i: number): (typeof images)[number] => {
    if (!(i in images)) throw new ArgumentError(`${name}: expected an index of 0 … ${images.length - 1}, found ${i}`);
    return images[i];
  };
  return {
    name,
    classes: categories.map((category) => category.name),
    categoryIds: categories.map(({ id }) => id),
    length: images.length,
    ids: images.map(({ id }) => id),
    objects(i) {
      at(i);
      return annotations.objects(i);
    },
    size: (i) => at(i),
    async load(i) {
      const { id, fileName, width, height } = at(i);
      const path = join(place.images, fileName);
      const image = await readImage(path);
      if (image.width !== width || image.height !== height)
        throw new FormatError(
          `${path}: image ${id} is ${image.width}×${image.height}, but its annotations are for ${width}×${height}; get the image that belongs to them`,
        );
      return { id, fileName, image, objects: annotations.objects(i) };
    },
    ...(notice !== undefined && { notice: `${place.annotations}: ${notice}` }),
  };
}

async function findPlace(dir: string, kind: string, split: string): Promise<Place | undefined> {
  const names = await list(dir);
  const official = `${kind}_${split}2017.json`;
  const inFolder = (await list(join(dir, 'annotations'))).includes(official);
  const own = names.filter((name) => name.startsWith(kind) && name.endsWith('.json'));
  const ofSplit = own.filter((name) => name.includes(split));
  const [only, ...others] = own.length > 1 ? ofSplit : own;
  if (!inFolder && (others.length > 0 || (only === undefined && own.length > 1)))
    throw new ConvkitError(
      `${dir}: expected one ${kind}*.json of the ${split} split, found ${own.join(', ')}; name one with \`annotations\``,
    );
  const annotations = inFolder ? join(dir, 'annotations', official) : only && join(dir, only);
  for (const folder of [`${split}2017`, join('images', `${split}2017`), 'images']) {
    if (annotations && (await isDirectory(join(dir, folder)))) return { annotations, images: join(dir, folder) };
  }
  return undefined;
}

function notFound(dir: string, kind: string, split: string): string {
  return `expected annotations/${kind}_${split}2017.json and ${split}2017/, or one ${kind}*.json and images/, in ${dir}, found neither; name another folder, or allow the download`;
}

/** Every image must be there before hours of work begin. */
async function checkImagesPresent({ images }: CocoAnnotations, { annotations, images: folder }: Place): Promise<void> {
  const present = new Map<string, ReadonlySet<string>>();
  const missing: string[] = [];
  for (const { fileName } of images) {
    const below = dirname(fileName);
    const names = present.get(below) ?? new Set(await list(join(folder, below)));
    present.set(below, names);
    if (!names.has(basename(fileName))) missing.push(fileName);
  }
  if (missing.length > 0)
    throw new ConvkitError(
      `${folder}: ${missing.length} of the ${images.length} images of ${annotations} are not there, the first is ${missing[0]}; get them, or name another folder`,
    );
}

/** The names in a folder; none where it is not there. */
async function list(dir: string): Promise<readonly string[]> {
  return readdir(dir).catch(() => []);
}

function defaultDirectory(): string {
  const data = process.env['CONVKIT_DATA'];
  if (data) return join(data, 'coco');
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'convkit', 'coco');
}
