import { readFile, stat } from 'node:fs/promises';
import { dirname, join, parse, relative, resolve, sep } from 'node:path';
import { ArgumentError, ConvkitError } from '@convkit/core';
import { readImage } from '@convkit/core/node';
import { forEachLimited } from '../concurrency.js';
import type { DetectionDataset } from '../detection/dataset.js';
import { parseYoloLabels, yoloObject } from '../detection/yolo-labels.js';
import type { YoloLabel } from '../detection/yolo-labels.js';
import { imagesBelow } from './image-folder.js';
import { readYoloYaml } from './yolo-yaml.js';

/** Which images of a data set with YOLO's labels. */
export interface YoloDetectionOptions {
  /** Its data.yaml, or the folder with it */
  readonly dir: string;
  /** Default: 'val' */
  readonly split?: 'train' | 'val' | 'test';
}

const filesAtOnce = 16;

/**
 * Images with YOLO's text labels: images/val/1.jpg and labels/val/1.txt, named by a data.yaml. A polygon becomes the object's segmentation and
 * gives its box. Ids are the paths of the images below the folder of the data.yaml.
 *
 * An image without a label file, or with an empty one, has no objects; `notice` says how many have no file, and counts boxes without width or
 * height, which are kept.
 *
 * @throws ConvkitError when files are not there; FormatError naming the file and line of what is wrong.
 */
export async function yoloDetection({ dir, split = 'val' }: YoloDetectionOptions): Promise<DetectionDataset> {
  const yaml = await readYoloYaml(dir);
  const root = dirname(resolve(yaml.path));
  const paths = (await Promise.all((await yaml.sources(split)).map(imagesOf))).flat();
  if (paths.length === 0) throw new ConvkitError(`${yaml.path}: ${split} has no image`);
  const format = { numClasses: yaml.classes.length, keypointShape: yaml.keypointShape };
  const labels = new Array<readonly YoloLabel[]>(paths.length);
  let without = 0;
  await forEachLimited(paths.length, filesAtOnce, async (i) => {
    const path = labelPath(paths[i]);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new ConvkitError(`${path}: cannot be read (${error.code})`, { cause: error });
    });
    if (text === undefined) without++;
    labels[i] = text === undefined ? [] : parseYoloLabels(text, path, format);
  });
  if (without === paths.length)
    throw new ConvkitError(
      `${yaml.path}: none of the ${without} images of ${split} has a label file; expected ${labelPath(paths[0])} for the first`,
    );
  const boxes = labels.flat();
  const flat = boxes.filter(({ box: [x1, y1, x2, y2] }) => x1 === x2 || y1 === y2).length;
  const notices = [
    ...(without > 0 ? [`${without} of ${paths.length} images have no label file and count as empty`] : []),
    ...(flat > 0 ? [`${flat} of ${boxes.length} boxes have no width or no height`] : []),
  ];
  const ids = paths.map((path) => relative(root, path).split(sep).join('/'));
  return {
    name: `${yaml.path} ${split}`,
    classes: yaml.classes,
    length: paths.length,
    ids,
    async load(i) {
      if (!(i in paths)) throw new ArgumentError(`${yaml.path}: expected an index of 0 … ${paths.length - 1}, found ${i}`);
      const image = await readImage(paths[i]);
      const objects = labels[i].map((label) => yoloObject(label, image.width, image.height));
      return { id: ids[i], fileName: ids[i], image, objects };
    },
    ...(notices.length > 0 && { notice: `${yaml.path}: ${notices.join('; ')}` }),
  };
}

/** The images of a folder, or those that a text file lists, one a line. */
async function imagesOf(source: string): Promise<readonly string[]> {
  if ((await stat(source)).isDirectory()) return imagesBelow(source);
  const lines = (await readFile(source, 'utf8')).split('\n').map((line) => line.trim());
  return lines.filter(Boolean).map((line) => resolve(dirname(source), line));
}

/** labels/val/1.txt for images/val/1.jpg; beside the image where no folder of its path is named images. */
function labelPath(image: string): string {
  const { dir, name } = parse(image);
  const folders = dir.split(sep);
  const at = folders.lastIndexOf('images');
  return join(at < 0 ? dir : folders.with(at, 'labels').join(sep), `${name}.txt`);
}
