import { expect, test } from 'vitest';
import { Random } from '@convkit/core';
import { rleToString } from '@convkit/core/detection';
import { CocoCollector } from './coco-annotations.js';
import type { CocoAnnotations } from './coco-annotations.js';
import { Column } from './column.js';

type Fields = Record<string, unknown>;
const images: Fields[] = [
  { id: 7, file_name: 'b.jpg', width: 30, height: 20 },
  { id: 3, file_name: 'a/a.jpg', width: 10, height: 10 },
];
const categories: Fields[] = [
  { id: 18, name: 'dog' },
  { id: 1, name: 'person', keypoints: ['nose', 'tail'] },
];
const annotation: Fields = { id: 100, image_id: 7, category_id: 18, bbox: [1, 2, 3, 4], area: 9.5, iscrowd: 0 };

function collect(annotations: readonly unknown[], more: { images?: unknown[]; categories?: unknown[] } = {}): CocoAnnotations {
  const collector = new CocoCollector();
  // COCO's own files have the categories last.
  annotations.forEach((element, i) => collector.add('annotations', element, i));
  (more.images ?? images).forEach((element, i) => collector.add('images', element, i));
  (more.categories ?? categories).forEach((element, i) => collector.add('categories', element, i));
  collector.add('licenses', { id: 1 }, 0);
  return collector.finish();
}

test('objects come with their image, in the order of the file; classes are in the order of category ids', () => {
  const data = collect([
    annotation,
    { ...annotation, id: 4, category_id: 1, keypoints: [1, 2, 2, 0, 0, 0], num_keypoints: 1 },
    { id: 5, image_id: 7, category_id: 18, bbox: [0.25, 0, 5.5, 1] },
  ]);
  expect(data.categories.map(({ id, name }) => [id, name])).toEqual([
    [1, 'person'],
    [18, 'dog'],
  ]);
  expect(data.images.map(({ id, fileName }) => [id, fileName])).toEqual([
    [7, 'b.jpg'],
    [3, 'a/a.jpg'],
  ]);
  expect(data.objects(0)).toEqual([
    { class: 1, box: [1, 2, 4, 6], id: 100, area: 9.5, crowd: false },
    {
      class: 0,
      box: [1, 2, 4, 6],
      id: 4,
      area: 9.5,
      crowd: false,
      keypoints: [
        { x: 1, y: 2, visibility: 2 },
        { x: 0, y: 0, visibility: 0 },
      ],
    },
    { class: 1, box: [0.25, 0, 5.75, 1], id: 5, crowd: false },
  ]);
  expect([data.objects(1), data.notice]).toEqual([[], undefined]);
});

test('outlines and masks, compressed or not, come back as they are', () => {
  const segmentations = [
    [
      [1, 2, 3.25, 4, 5, 6],
      [0, 0, 9, 0, 9, 9, 0, 9],
    ],
    { size: [20, 30], counts: [0, 600] },
    { size: [20, 30], counts: rleToString({ size: [20, 30], counts: [384, 48, 168] }) },
    [],
  ];
  const data = collect(
    segmentations.map((segmentation, i) => ({ ...annotation, id: i, segmentation, iscrowd: i === 1 ? 1 : 0 })),
  );
  const objects = data.objects(0);
  expect(objects.map(({ segmentation }) => segmentation)).toEqual([
    segmentations[0],
    { size: [20, 30], counts: [0, 600] },
    { size: [20, 30], counts: [384, 48, 168] },
    undefined,
  ]);
  expect(objects.map(({ crowd }) => crowd)).toEqual([false, true, false, false]);
});

test('odd boxes are kept and counted', () => {
  const boxes = [
    [1, 2, 0, 4],
    [-0.5, -1, 31, 20],
    [20, 2, 12, 4],
    [-9, -9, 2, 2],
  ];
  const data = collect(boxes.map((bbox, id) => ({ ...annotation, id, bbox })));
  expect(data.objects(0).length).toBe(4);
  expect(data.notice).toBe('1 of 4 boxes have no width or no height; 2 of 4 boxes reach more than a pixel out of their image');
});

const rle = (size: unknown, counts: unknown): Fields => ({ segmentation: { size, counts } });
const broken: [changed: Fields, message: string][] = [
  [{ id: undefined }, 'annotations 0: expected its id to be a whole number, found nothing'],
  [{ id: 'a' }, 'annotations 0: expected its id to be a whole number, found "a"'],
  [{ image_id: null }, 'annotation 100: expected image_id to be a whole number, found null'],
  [{ image_id: 8 }, 'annotation 100 (image 8): there is no image with this id'],
  [{ category_id: 2 }, 'annotation 100 (image 7): there is no category with the id 2'],
  [{ category_id: '18' }, 'annotation 100 (image 7): expected category_id to be a whole number, found "18"'],
  [{ bbox: undefined }, 'annotation 100 (image 7): expected bbox [x, y, width, height], found nothing'],
  [{ bbox: [1, 2, 3] }, 'expected bbox [x, y, width, height], found [1,2,3]'],
  [{ bbox: [1, 2, 3, null] }, 'found [1,2,3,null]'],
  [{ bbox: [1, 2, -3, 4] }, 'found [1,2,-3,4]'],
  [{ bbox: [1, 2, '3', 4] }, 'found [1,2,"3",4]'],
  [{ area: -1 }, 'expected area to be 0 or more, found -1'],
  [{ area: null }, 'expected area to be 0 or more, found null'],
  [{ iscrowd: 2 }, 'expected iscrowd to be 0 or 1, found 2'],
  [{ segmentation: [[1, 2, 3]] }, 'expected polygon 0 of its segmentation to be x, y, x, y, …, found [1,2,3]'],
  [{ segmentation: [1, 2, 3, 4] }, 'expected polygon 0 of its segmentation'],
  [{ segmentation: 'x' }, 'expected its segmentation to be polygons, or size and counts, found "x"'],
  [rle([20], [600]), 'expected its segmentation to be polygons, or size and counts'],
  [rle([20, 30], [599]), 'its segmentation is broken: RLE: expected runs that add up to 20×30 = 600 pixels, found 599'],
  [rle([20, 30], '~'), 'its segmentation is broken: RLE text'],
  [rle([30, 20], [600]), 'annotation 100 (image 7): its mask is 30×20, but the image 20×30'],
  [{ keypoints: [1, 2] }, 'expected keypoints x, y, visibility (0, 1 or 2), …, found [1,2]'],
  [{ keypoints: [1, 2, 3] }, 'expected keypoints x, y, visibility'],
  [{ category_id: 1, keypoints: [1, 2, 2] }, 'annotation 100 (image 7): expected 2 keypoints as its category has, found 1'],
];

test.each(broken)('an annotation with %j is refused', (changed, message) => {
  expect(() => collect([{ ...annotation, ...changed }])).toThrow(message);
});

test('ids that appear twice, and elements that are none, are refused', () => {
  expect(() => collect([annotation, { ...annotation, image_id: 3 }])).toThrow('annotation 100 (image 3): its id appears twice');
  expect(() => collect([], { images: [...images, images[0]] })).toThrow('image 7: its id appears twice');
  expect(() => collect([], { categories: [...categories, categories[1]] })).toThrow('category 1: its id appears twice');
  expect(() => collect([12])).toThrow('annotations 0: expected an object, found 12');
  expect(() => collect([], { images: [] })).toThrow(
    "expected images, annotations and categories as COCO's files have them, found no images",
  );
  expect(() => collect([], { categories: [] })).toThrow('found no categories');
  expect(() => collect([], { categories: [{ id: 1 }] })).toThrow('category 1: expected its name, found nothing');
});

test.each(['/etc/passwd', '../x.jpg', 'a/../../x.jpg', 'C:\\x.jpg', 'a\\b.jpg', '', 5])(
  'the file name %j is refused',
  (file_name) => {
    expect(() => collect([], { images: [{ ...images[0], file_name }] })).toThrow('image 7: expected file_name to be');
  },
);

test.each([0, -1, 2.5, null, '5'])('the width %j is refused', (width) => {
  expect(() => collect([], { images: [{ ...images[0], width }] })).toThrow('image 7: expected width and height in pixels');
});

test('many annotations keep their numbers', () => {
  const random = new Random(5);
  const many = Array.from({ length: 8000 }, (_, id) => ({
    ...annotation,
    id,
    image_id: random.int(2) ? 7 : 3,
    bbox: [1, 1, random.int(9), 5],
    segmentation: [Array.from({ length: 2 * (3 + random.int(20)) }, () => random.int(1000) / 100)],
  }));
  const data = collect(many);
  const found = [...data.objects(0), ...data.objects(1)].sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
  expect(found.map(({ segmentation }) => segmentation)).toEqual(many.map(({ segmentation }) => segmentation));
  expect(found.map(({ box }) => box[2] - box[0])).toEqual(many.map(({ bbox }) => bbox[2]));
});

test('a column gives back what crosses its blocks', () => {
  const column = new Column();
  for (let i = 0; i < 70_000; i++) column.push([i, -i]);
  expect([column.length, column.at(65_535), column.at(65_536)]).toEqual([140_000, -32_767, 32_768]);
  expect(column.slice(131_070, 4)).toEqual([65_535, -65_535, 65_536, -65_536]);
});
