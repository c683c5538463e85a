import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { cocoClasses } from '@convkit/core';
import { averagePrecision } from '@convkit/core/detection';
import { writeImage } from '@convkit/core/node';
import { answer, etagOf, serve } from '../../../core/src/node/__fixtures__/faulty-server.js';
import { cocoCategoryIds } from '../detection/coco-classes.js';
import { detectionsFromCoco } from '../detection/coco-results.js';
import type { CocoResult } from '../detection/coco-results.js';
import { zip } from './__fixtures__/zip.js';
import type { CocoArchive, CocoProgress } from './coco-archives.js';
import { cocoDetection, loadCoco } from './coco.js';

const root = mkdtempSync(join(tmpdir(), 'convkit-coco-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Two images, one of them without an object. */
const instances = {
  info: { year: 2017 },
  images: [
    { id: 139, file_name: 'cat.png', width: 8, height: 6 },
    { id: 20, file_name: 'empty.png', width: 4, height: 4 },
  ],
  annotations: [
    { id: 1, image_id: 139, category_id: 17, bbox: [1, 1, 4.5, 3], area: 12, iscrowd: 0, segmentation: [[1, 1, 5, 1, 5, 4]] },
    {
      id: 2,
      image_id: 139,
      category_id: 1,
      bbox: [0, 0, 8, 6],
      area: 40,
      iscrowd: 1,
      segmentation: { size: [6, 8], counts: [8, 40] },
    },
  ],
  categories: [
    { id: 1, name: 'person', keypoints: ['nose'] },
    { id: 17, name: 'cat' },
  ],
};
const pictures = join(root, 'pictures');
mkdirSync(pictures);
for (const { file_name, width, height } of instances.images)
  await writeImage(join(pictures, file_name), { pixels: new Uint8Array(width * height * 3).fill(width), width, height });

/** A folder with the annotations under this name and the images in that folder. */
function folder(annotations: string, images: string, content: unknown = instances): string {
  const dir = mkdtempSync(join(root, 'd-'));
  mkdirSync(dirname(join(dir, annotations)), { recursive: true });
  writeFileSync(join(dir, annotations), typeof content === 'string' ? content : JSON.stringify(content));
  cpSync(pictures, join(dir, images), { recursive: true });
  return dir;
}

test.each([
  ['instances_val2017_subset.json', 'images'],
  ['instances.json', 'images'],
  ['annotations/instances_val2017.json', 'val2017'],
  ['annotations/instances_val2017.json', 'images/val2017'],
])('%s and %s/ are found', async (annotations, images) => {
  const data = await cocoDetection({ dir: folder(annotations, images) });
  expect([data.length, data.ids, data.classes, data.categoryIds]).toEqual([2, [139, 20], ['person', 'cat'], [1, 17]]);
  const { id, fileName, image, objects } = await data.load(0);
  expect([id, fileName, image.width, image.height, image.pixels[0]]).toEqual([139, 'cat.png', 8, 6, 8]);
  expect(objects).toEqual(data.objects(0));
  expect(objects).toMatchObject([
    { class: 1, box: [1, 1, 5.5, 4], crowd: false, segmentation: [[1, 1, 5, 1, 5, 4]] },
    { class: 0, crowd: true, segmentation: { size: [6, 8], counts: [8, 40] } },
  ]);
  expect(await data.load(1)).toMatchObject({ id: 20, objects: [], image: { width: 4, height: 4 } });
  expect(() => data.objects(2)).toThrow('expected an index of 0 … 1, found 2');
});

test('a split, people with keypoints, and files elsewhere are found when they are asked for', async () => {
  const dir = folder('annotations/person_keypoints_train2017.json', 'train2017');
  writeFileSync(join(dir, 'annotations/instances_val2017.json'), '{}');
  expect((await cocoDetection({ dir, kind: 'person_keypoints', split: 'train' })).length).toBe(2);
  const [annotations, images] = [join(dir, 'annotations/person_keypoints_train2017.json'), join(dir, 'train2017')];
  expect((await cocoDetection({ annotations, images })).length).toBe(2);
  await expect(cocoDetection({ annotations })).rejects.toThrow('expected both `annotations` and `images`, or none of them');
});

test('what is not there is said, and no server is asked when the folder was named', async () => {
  const dir = folder('instances_a.json', 'images');
  writeFileSync(join(dir, 'instances_b.json'), '{}');
  await expect(cocoDetection({ dir })).rejects.toThrow(
    'expected one instances*.json of the val split, found instances_a.json, instances_b.json',
  );
  await expect(cocoDetection({ dir: root })).rejects.toThrow(
    `cocoDetection: expected annotations/instances_val2017.json and val2017/, or one instances*.json and images/, in ${root}, found neither`,
  );
  rmSync(join(dir, 'instances_b.json'));
  rmSync(join(dir, 'images/empty.png'));
  await expect(cocoDetection({ dir })).rejects.toThrow(
    `${join(dir, 'images')}: 1 of the 2 images of ${join(dir, 'instances_a.json')} are not there, the first is empty.png`,
  );
});

test('broken annotations are refused with file and id', async () => {
  const changed = structuredClone(instances);
  changed.annotations[1].bbox[2] = -8;
  const dir = folder('instances.json', 'images', changed);
  await expect(cocoDetection({ dir })).rejects.toThrow(
    `${join(dir, 'instances.json')}: annotation 2 (image 139): expected bbox [x, y, width, height], found [0,0,-8,6]`,
  );
  const nan = folder('instances.json', 'images', JSON.stringify(instances).replace('"area":40', '"area":NaN'));
  await expect(cocoDetection({ dir: nan })).rejects.toThrow('annotations 1 (id 2) at byte');
  const cut = folder('instances.json', 'images', JSON.stringify(instances).slice(0, -5));
  await expect(cocoDetection({ dir: cut })).rejects.toThrow(/instances\.json: the JSON ends after \d+ bytes, inside of/);
});

test('an image of another size than its annotations is refused', async () => {
  const dir = folder('instances.json', 'images');
  cpSync(join(pictures, 'empty.png'), join(dir, 'images/cat.png'));
  const data = await cocoDetection({ dir });
  await expect(data.load(0)).rejects.toThrow('image 139 is 4×4, but its annotations are for 8×6');
});

describe('from the archives', () => {
  const archive = (path: string, name: string, extension: CocoArchive['extension'], files: readonly string[], from: string) => {
    const content = zip(
      files.map((file) => ({ name: `${name}/${file}`, content: readFileSync(join(from, file)), deflate: true })),
    );
    return {
      content,
      path,
      folder: name,
      extension,
      sizeBytes: content.length,
      md5: createHash('md5').update(content).digest('hex'),
    };
  };
  const jsonDir = dirname(join(folder('annotations/instances_val2017.json', 'x'), 'annotations/instances_val2017.json'));
  const photos = mkdtempSync(join(root, 'jpg-'));
  const named = JSON.stringify(instances).replace('cat.png', 'cat.jpg').replace('empty.png', 'empty.jpg');
  writeFileSync(join(jsonDir, 'instances_val2017.json'), named);
  cpSync(join(pictures, 'cat.png'), join(photos, 'cat.jpg'));
  cpSync(join(pictures, 'empty.png'), join(photos, 'empty.jpg'));
  const archives = {
    annotations: archive('annotations/a.zip', 'annotations', '.json', ['instances_val2017.json'], jsonDir),
    val: archive('zips/val2017.zip', 'val2017', '.jpg', ['cat.jpg', 'empty.jpg'], photos),
    train: archive('zips/train2017.zip', 'train2017', '.jpg', ['cat.jpg'], photos),
  };
  const mirror = (url: string): void => {
    process.env['CONVKIT_COCO_URL'] = url;
    onTestFinished(() => void delete process.env['CONVKIT_COCO_URL']);
  };

  test('they are downloaded once, checked, unpacked and removed; then no server is needed', async () => {
    const { url, seen } = await serve((request, response) =>
      answer(request, response, archives[request.url === '/zips/val2017.zip' ? 'val' : 'annotations']),
    );
    mirror(url);
    const dir = join(root, 'fresh');
    const progress: CocoProgress[] = [];
    const data = await loadCoco({ dir, download: true, onProgress: (now) => progress.push(now) }, archives);
    expect([data.length, (await data.load(0)).image.width]).toEqual([2, 8]);
    expect(readdirSync(dir).sort()).toEqual(['annotations', 'val2017']);
    expect(new Set(progress.map(({ file, stage }) => `${stage} ${file}`))).toEqual(
      new Set(['download a.zip', 'unpack a.zip', 'download val2017.zip', 'unpack val2017.zip']),
    );
    await loadCoco({ dir, download: true }, archives);
    expect(seen.map((request) => request.url)).toEqual(['/annotations/a.zip', '/zips/val2017.zip']);
  });

  test('a connection that breaks is resumed, and what is unpacked already is not fetched again', async () => {
    const dir = join(root, 'resumed');
    mkdirSync(dir);
    cpSync(jsonDir, join(dir, 'annotations'), { recursive: true });
    const { content } = archives.val;
    const { url, seen } = await serve((request, response) => {
      if (seen.length > 1) return answer(request, response, archives.val);
      response.writeHead(200, { 'content-length': content.length, etag: etagOf(content) });
      response.write(content.subarray(0, content.length / 2));
      const arrived = setInterval(() => {
        const part = readdirSync(dir).find((name) => name.endsWith('.part'));
        if (part === undefined || statSync(join(dir, part)).size === 0) return;
        clearInterval(arrived);
        response.destroy();
      }, 5);
    });
    mirror(url);
    expect((await loadCoco({ dir, download: true }, archives)).length).toBe(2);
    expect(seen.map(({ url: path, headers }) => [path, headers.range?.replace(/\d+/, 'n')])).toEqual([
      ['/zips/val2017.zip', undefined],
      ['/zips/val2017.zip', 'bytes=n-'],
    ]);
  });

  test('another content than the published one is refused and leaves nothing', async () => {
    const { url } = await serve((request, response) => answer(request, response, { ...archives.annotations, fault: 'corrupt' }));
    mirror(url);
    const dir = join(root, 'corrupt');
    await expect(loadCoco({ dir, download: true }, archives)).rejects.toMatchObject({ name: 'FormatError' });
    expect(readdirSync(dir)).toEqual([]);
  });
});

// 158 photos of val2017 with their annotations, and what YOLOv8n detected in them.
const real = fileURLToPath(new URL('../../../../../shared/', import.meta.url));
const subset = join(real, 'data/coco/val2017_subset');

test.runIf(existsSync(subset))('real photos, annotations and detections give the figures of pycocotools', async () => {
  const data = await cocoDetection({ dir: subset });
  expect([data.length, data.classes, data.categoryIds, data.notice]).toEqual([158, cocoClasses, cocoCategoryIds, undefined]);
  const results = JSON.parse(readFileSync(join(subset, 'yolov8n_dets_sq640_conf0.001_iou0.7.json'), 'utf8')) as CocoResult[];
  const golden = JSON.parse(readFileSync(join(real, 'goldens/coco/val2017_subset_bbox.json'), 'utf8')) as {
    expect: { stats: number[]; ap_per_category: Record<string, number>; precision_count: number };
  };
  const detections = detectionsFromCoco(results, data);
  const evaluation = averagePrecision({ classes: data.classes });
  data.ids.forEach((id, i) => evaluation.add(id, detections.get(id) ?? [], data.objects(i)));
  const { summary, perClass, precision } = evaluation.result();
  Object.values(summary).forEach((value, i) => expect(value).toBeCloseTo(golden.expect.stats[i], 9));
  perClass.forEach(({ ap }, c) => expect(ap).toBeCloseTo(golden.expect.ap_per_category[data.categoryIds[c]], 9));
  expect(precision.filter((value) => value > -1).length).toBe(golden.expect.precision_count);
  const objects = data.ids.flatMap((_, i) => data.objects(i));
  expect([objects.length, objects.filter(({ crowd }) => crowd).length]).toEqual([1424, 16]);
  const { image, objects: first } = await data.load(0);
  expect([image.width, image.height, first.length]).toEqual([640, 426, data.objects(0).length]);
});
