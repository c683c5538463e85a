import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeImage } from '@convkit/core/node';
import { vocDetection } from './voc-detection.js';
import { yoloDetection } from './yolo-detection.js';

const root = mkdtempSync(join(tmpdir(), 'convkit-yolo-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const picture = join(root, 'picture.png');
await writeImage(picture, { pixels: new Uint8Array(10 * 8 * 3), width: 10, height: 8 });

/** A folder with these files; a picture where the content is undefined. */
function folder(files: Readonly<Record<string, string | undefined>>): string {
  const dir = mkdtempSync(join(root, 'd-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    if (content === undefined) cpSync(picture, join(dir, name));
    else writeFileSync(join(dir, name), content);
  }
  return dir;
}
const yaml = 'train: images/train\nval: images/val\nnc: 2\nnames: [cat, dog]\n';
const images = { 'images/val/1.png': undefined, 'images/val/b/2.png': undefined };
const labels = { 'labels/val/1.txt': '1 0.5 0.5 0.5 0.5\n0 0 0 1 0 1 1\n', 'labels/val/b/2.txt': '' };

test('the images of a split come with the labels of their path', async () => {
  const data = await yoloDetection({ dir: folder({ 'data.yaml': yaml, ...images, ...labels }) });
  expect([data.classes, data.ids, data.notice]).toEqual([['cat', 'dog'], ['images/val/1.png', 'images/val/b/2.png'], undefined]);
  expect(await data.load(0)).toMatchObject({
    id: 'images/val/1.png',
    image: { width: 10, height: 8 },
    objects: [
      { class: 1, box: [2.5, 2, 7.5, 6] },
      { class: 0, box: [0, 0, 10, 8], segmentation: [[0, 0, 10, 0, 10, 8]] },
    ],
  });
  expect((await data.load(1)).objects).toEqual([]);
  await expect(data.load(2)).rejects.toThrow('expected an index of 0 … 1, found 2');
});

test('lists of images, names by number, a root of their own, and the paths of exports are understood', async () => {
  const listed = folder({
    'data.yaml': 'val: val.txt\nnames: {0: cat, 1: dog}\n',
    'val.txt': './images/val/1.png\n\n',
    ...images,
    ...labels,
  });
  expect((await yoloDetection({ dir: join(listed, 'data.yaml') })).ids).toEqual(['images/val/1.png']);
  const rooted = folder({ 'cfg/data.yaml': 'path: ..\ntest: [images/val]\nnames: [cat, dog]\n', ...images, ...labels });
  expect((await yoloDetection({ dir: join(rooted, 'cfg'), split: 'test' })).length).toBe(2);
  const exported = { 'train/images/1.png': undefined, 'train/labels/1.txt': '0 0.5 0.5 1 1' };
  const dir = folder({ 'data.yaml': 'train: ../train/images\nnames: [cat]\n', ...exported });
  expect((await yoloDetection({ dir, split: 'train' })).ids).toEqual(['train/images/1.png']);
});

test('boxes without width or height are kept, and counted', async () => {
  const data = await yoloDetection({
    dir: folder({ 'data.yaml': yaml, ...images, ...labels, 'labels/val/b/2.txt': '0 0.5 0.5 0 0.25' }),
  });
  expect(data.notice).toContain('data.yaml: 1 of 3 boxes have no width or no height');
  expect((await data.load(1)).objects).toEqual([{ class: 0, box: [5, 3, 5, 5] }]);
});

test('images without a label file are empty, and counted', async () => {
  const dir = folder({ 'data.yaml': yaml, ...images, 'labels/val/1.txt': labels['labels/val/1.txt'] });
  const data = await yoloDetection({ dir });
  expect(data.notice).toBe(`${join(dir, 'data.yaml')}: 1 of 2 images have no label file and count as empty`);
  expect((await data.load(1)).objects).toEqual([]);
  const none = folder({ 'data.yaml': yaml, ...images });
  await expect(yoloDetection({ dir: none })).rejects.toThrow(
    `none of the 2 images of val has a label file; expected ${join(none, 'labels/val/1.txt')} for the first`,
  );
});

const broken: [what: string, files: Readonly<Record<string, string | undefined>>, message: string][] = [
  ['no yaml', images, 'expected a data.yaml, found none'],
  ['two of them', { 'a.yaml': yaml, 'b.yaml': yaml }, 'expected a data.yaml, found a.yaml, b.yaml'],
  ['no YAML', { 'data.yaml': 'names: [cat\nval: x' }, 'data.yaml: not YAML: '],
  ['a list', { 'data.yaml': '- cat' }, 'expected names, train and val, found ["cat"]'],
  ['no names', { 'data.yaml': 'val: images/val' }, 'expected names to be a list, or a map from 0 … n − 1, found nothing'],
  ['names with a gap', { 'data.yaml': 'names: {0: cat, 2: dog}' }, 'found {"0":"cat","2":"dog"}'],
  ['another count', { 'data.yaml': 'nc: 3\nnames: [cat]' }, 'expected nc to be the number of names (1), found 3'],
  ['no split', { 'data.yaml': 'names: [cat]' }, 'expected val to be a folder or list of images, found nothing'],
  ['no folder', { 'data.yaml': yaml }, 'data.yaml: images/val is not there; looked for '],
  ['no image', { 'data.yaml': yaml, 'images/val/readme.txt': '' }, 'val has no image'],
  [
    'a keypoint shape that is none',
    { 'data.yaml': `${yaml}kpt_shape: [17]`, ...images },
    'expected kpt_shape to be [keypoints, 2 or 3], found [17]',
  ],
  [
    'a class too many',
    { 'data.yaml': yaml, ...images, 'labels/val/1.txt': '0 0 0 1 1\n2 0 0 1 1' },
    '1.txt:2: expected a class of 0 … 1, found 2',
  ],
];

test.each(broken)('%s is refused', async (_, files, message) => {
  await expect(yoloDetection({ dir: folder(files) })).rejects.toThrow(message);
});

const xml = (name: string, width = 10) =>
  `<annotation><size><width>${width}</width><height>8</height></size><object><name>${name}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></object></annotation>`;
const voc = {
  'JPEGImages/1.png': undefined,
  'JPEGImages/2.png': undefined,
  'Annotations/1.xml': xml('dog'),
  'Annotations/2.xml': '<annotation/>',
  'ImageSets/Main/val.txt': '2 -1\n1  1\n',
};

test("PASCAL VOC's folders give all images, or those of a split", async () => {
  const dir = folder(voc);
  expect((await vocDetection({ dir })).ids).toEqual(['1', '2']);
  const data = await vocDetection({ dir, split: 'val' });
  expect([data.ids, data.classes[11]]).toEqual([['2', '1'], 'dog']);
  expect(await data.load(1)).toMatchObject({ id: '1', fileName: '1.png', objects: [{ class: 11, box: [0, 1, 3, 4] }] });
  expect(await data.load(0)).toMatchObject({ objects: [] });
});

const brokenVoc: [what: string, files: Readonly<Record<string, string | undefined>>, message: string][] = [
  ['another class', { ...voc, 'Annotations/1.xml': xml('dragon') }, '1.xml:1: expected one of 20 classes, found "dragon"'],
  [
    'a list with an image that is not there',
    { ...voc, 'ImageSets/Main/val.txt': '1\n3' },
    '1 of 2 images are not there, the first is 3',
  ],
  ['an image twice', { ...voc, 'ImageSets/Main/val.txt': '1\n1' }, 'a name appears twice'],
  ['an empty list', { ...voc, 'ImageSets/Main/val.txt': '\n' }, 'expected a name on each line, found none'],
  ['no annotations', { ...voc, 'Annotations/1.xml': 'x', 'ImageSets/Main/val.txt': '2\n1' }, '1.xml:1: not XML'],
  ['no folder', { 'JPEGImages/1.png': undefined }, 'val.txt: cannot be read (ENOENT); expected Annotations/, JPEGImages/'],
];

test.each(brokenVoc)('of VOC, %s is refused', async (_, files, message) => {
  await expect(vocDetection({ dir: folder(files), split: 'val' })).rejects.toThrow(message);
});

test('an image of another size than its annotation is refused', async () => {
  const data = await vocDetection({ dir: folder({ ...voc, 'Annotations/1.xml': xml('dog', 20) }) });
  await expect(data.load(0)).rejects.toThrow('the image is 10×8, but its annotation is for 20×8');
});
