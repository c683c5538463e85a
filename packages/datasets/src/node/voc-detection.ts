import { readFile, readdir } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { ArgumentError, ConvkitError, FormatError, vocClasses } from '@convkit/core';
import type { GroundTruth } from '@convkit/core/detection';
import { readImage } from '@convkit/core/node';
import { forEachLimited } from '../concurrency.js';
import type { DetectionDataset } from '../detection/dataset.js';
import { parseVocAnnotation } from '../detection/voc-annotation.js';
import type { VocAnnotation } from '../detection/voc-annotation.js';
import { isImage } from './image-folder.js';

/** Which images of a folder in the layout of PASCAL VOC. */
export interface VocDetectionOptions {
  /** The folder with Annotations/ and JPEGImages/, as VOCdevkit/VOC2007 */
  readonly dir: string;
  /** The images that ImageSets/Main/<split>.txt lists, as 'trainval'. Default: all of Annotations/ */
  readonly split?: string;
  /** Default: the 20 of PASCAL VOC */
  readonly classes?: readonly string[];
}

const filesAtOnce = 16;

/**
 * Images with the annotations of PASCAL VOC: Annotations/000001.xml and JPEGImages/000001.jpg. Ids are the names without extension.
 *
 * @throws ConvkitError when files are not there; FormatError naming the file and line of what is wrong.
 */
export async function vocDetection({ dir, split, classes = vocClasses }: VocDetectionOptions): Promise<DetectionDataset> {
  const ids = await listed(dir, split);
  const pictures = await read(join(dir, 'JPEGImages'), (folder) => readdir(folder));
  const fileOf = new Map(pictures.filter(isImage).map((name) => [parse(name).name, name]));
  const missing = ids.filter((id) => !fileOf.has(id));
  if (missing.length > 0)
    throw new ConvkitError(
      `${join(dir, 'JPEGImages')}: ${missing.length} of ${ids.length} images are not there, the first is ${missing[0]}; get them, or name another split`,
    );
  const annotations = new Array<VocAnnotation>(ids.length);
  await forEachLimited(ids.length, filesAtOnce, async (i) => {
    const path = join(dir, 'Annotations', `${ids[i]}.xml`);
    annotations[i] = parseVocAnnotation(await read(path, (file) => readFile(file, 'utf8')), path, classes);
  });
  const at = (i: number): VocAnnotation => {
    if (!(i in annotations)) throw new ArgumentError(`${dir}: expected an index of 0 … ${ids.length - 1}, found ${i}`);
    return annotations[i];
  };
  return {
    name: split === undefined ? dir : `${dir} ${split}`,
    classes,
    length: ids.length,
    ids,
    objects: (i): readonly GroundTruth[] => at(i).objects,
    async load(i) {
      const { size, objects } = at(i);
      const fileName = fileOf.get(ids[i]) ?? '';
      const path = join(dir, 'JPEGImages', fileName);
      const image = await readImage(path);
      if (size && (size.width !== image.width || size.height !== image.height))
        throw new FormatError(
          `${path}: the image is ${image.width}×${image.height}, but its annotation is for ${size.width}×${size.height}; get the image that belongs to it`,
        );
      return { id: ids[i], fileName, image, objects };
    },
  };
}

/** The names of the split, the first word of each line; or of all annotations. */
async function listed(dir: string, split: string | undefined): Promise<readonly string[]> {
  if (split === undefined) {
    const files = await read(join(dir, 'Annotations'), (folder) => readdir(folder));
    const ids = files.filter((name) => name.endsWith('.xml')).map((name) => parse(name).name);
    if (ids.length === 0) throw new ConvkitError(`${join(dir, 'Annotations')}: expected *.xml, found none`);
    return ids.sort();
  }
  const list = join(dir, 'ImageSets', 'Main', `${split}.txt`);
  const lines = (await read(list, (file) => readFile(file, 'utf8'))).split('\n').map((line) => line.trim());
  const ids = lines.filter(Boolean).map((line) => line.split(/\s+/)[0]);
  if (ids.length === 0) throw new ConvkitError(`${list}: expected a name on each line, found none`);
  if (new Set(ids).size < ids.length) throw new FormatError(`${list}: a name appears twice; list every image once`);
  return ids;
}

async function read<T>(path: string, action: (path: string) => Promise<T>): Promise<T> {
  return action(path).catch((error: NodeJS.ErrnoException) => {
    throw new ConvkitError(
      `${path}: cannot be read (${error.code}); expected Annotations/, JPEGImages/ and ImageSets/Main/ as VOC has them`,
      {
        cause: error,
      },
    );
  });
}
