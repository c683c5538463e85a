import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readImage, writeImage } from '@convkit/core/node';
import { convkit, lastJson, temporaryFolder } from './spawn.test-util.js';

/** A net of one cell that always finds a box of 16×16 in the middle of its input of 32×32, with a score of σ(2)². */
const cfg = `[net]
width=32
height=32
channels=3

[maxpool]
size=32
stride=32
padding=0

[convolutional]
size=1
stride=1
filters=6
activation=linear

[yolo]
mask=0
anchors=16,16
num=1
classes=1
`;
const score = (1 / (1 + Math.exp(-2))) ** 2;

/** Header, biases (x, y, w, h, object, class), weights. */
function weights(): Uint8Array {
  const header = Int32Array.of(0, 2, 0, 0, 0);
  const floats = Float32Array.of(0, 0, 0, 0, 2, 2, ...new Float32Array(18));
  return new Uint8Array(Buffer.concat([new Uint8Array(header.buffer), new Uint8Array(floats.buffer)]));
}

const grey = (width: number, height: number) => ({ pixels: new Uint8Array(width * height * 3).fill(128), width, height });

const folder = temporaryFolder();
const net = [join(folder.path, 'one.cfg'), '--weights', join(folder.path, 'one.weights'), '--backend', 'wasm'];
const images = join(folder.path, 'images');

beforeAll(async () => {
  writeFileSync(join(folder.path, 'one.cfg'), cfg);
  writeFileSync(join(folder.path, 'one.weights'), weights());
  mkdirSync(images);
  await writeImage(join(images, 'a.png'), grey(64, 32));
  await writeImage(join(images, 'b.jpg'), grey(96, 128));
});
afterAll(folder.remove);

test('detect gives the boxes of all pictures of a folder, and pictures with them', async () => {
  const out = join(folder.path, 'found');
  const outcome = await convkit(['detect', net[0], images, ...net.slice(1), '--json', '--out', out]);
  expect(outcome.stderr).toBe('');
  const { model, images: found } = lastJson(outcome) as { model: string; images: Record<string, unknown>[] };
  expect(model).toBe('one');
  const object = { class: 0, label: 'class 0', score: expect.closeTo(score, 5) as number };
  expect(found).toEqual([
    { path: join(images, 'a.png'), width: 64, height: 32, detections: [{ ...object, box: [16, 8, 48, 24] }] },
    { path: join(images, 'b.jpg'), width: 96, height: 128, detections: [{ ...object, box: [24, 32, 72, 96] }] },
  ]);
  expect(readdirSync(out)).toEqual(['a.png', 'b.jpg']);
  const drawn = await readImage(join(out, 'b.jpg'));
  expect([drawn.width, drawn.height]).toEqual([96, 128]);
  // A line in the colour of the class where the box is, grey in its middle.
  const at = (x: number, y: number): number[] => [...drawn.pixels.subarray((y * 96 + x) * 3, (y * 96 + x) * 3 + 3)];
  expect(Math.max(...at(24, 80)) - Math.min(...at(24, 80))).toBeGreaterThan(60);
  expect(at(48, 70).every((value) => Math.abs(value - 128) < 6)).toBe(true);
});

test('the table names each picture once, and says where nothing was found', async () => {
  const { stdout } = await convkit(['detect', net[0], images, ...net.slice(1)]);
  expect(stdout).toMatch(/a\.png +class 0 +0\.776 +16 +8 +48 +24\n/);
  const { stdout: none } = await convkit(['detect', net[0], images, ...net.slice(1), '--conf', '0.9']);
  expect(none).toMatch(/b\.jpg +nothing found/);
});

test('raw frames on standard input give a line each, and a last one with their number', async () => {
  const frames = new Uint8Array(2 * 40 * 30 * 3);
  const args = ['detect', net[0], '-', ...net.slice(1), '--frames', '40x30', '--json'];
  const outcome = await convkit(args, undefined, frames);
  expect(outcome.stderr).toBe('');
  const lines = outcome.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatchObject({ frame: 1, width: 40, height: 30, detections: [{ box: [10, 7.5, 30, 22.5] }] });
  expect(lines[2]).toMatchObject({ model: 'one', frames: 2 });
});

test('pictures on standard input are frames too, and a stream that breaks off is a failure', async () => {
  const bytes = new Uint8Array(Buffer.concat([readFileSync(join(images, 'b.jpg')), readFileSync(join(images, 'a.png'))]));
  const args = ['detect', net[0], '-', ...net.slice(1)];
  expect((await convkit(args, undefined, bytes)).stdout).toMatch(/frame 0 {2}1 class 0\nframe 1 {2}1 class 0\n\n2 frames/);
  const broken = await convkit(args, undefined, bytes.subarray(0, bytes.length - 9));
  expect(broken.code).toBe(1);
  expect(broken.stderr).toMatch(/^error: frame 1: the stream ends after \d+ bytes of it\n$/);
});

const annotations = {
  images: [
    { id: 7, file_name: 'a.png', width: 64, height: 32 },
    { id: 9, file_name: 'b.jpg', width: 96, height: 128 },
  ],
  categories: [{ id: 3, name: 'class 0' }],
  annotations: [{ id: 1, image_id: 7, category_id: 3, bbox: [16, 8, 32, 16], area: 512, iscrowd: 0 }],
};

test('eval of a detector gives its average precision, with curves, confusions and detections for COCO', async () => {
  writeFileSync(join(folder.path, 'instances.json'), JSON.stringify(annotations));
  const out = join(folder.path, 'report');
  const data = ['--data', 'coco', '--data-dir', folder.path];
  const outcome = await convkit(['eval', net[0], ...net.slice(1), ...data, '--json', '--out', out]);
  expect(outcome.stderr).toBe('');
  // Of two equal scores the right one comes first: a precision of 1 up to a recall of 1.
  expect(lastJson(outcome)).toMatchObject({ model: 'one', images: 2, ap: expect.closeTo(1, 9) as number, apLarge: -1 });
  expect(readdirSync(out).sort()).toEqual(['confusion.svg', 'detections.json', 'eval.json', 'precision-recall.svg']);
  const detections = JSON.parse(readFileSync(join(out, 'detections.json'), 'utf8')) as object[];
  expect(detections[0]).toMatchObject({ image_id: 7, category_id: 3, bbox: [16, 8, 32, 16] });
  const { stdout } = await convkit(['eval', net[0], ...net.slice(1), ...data]);
  expect(stdout).toMatch(/class 0 +1\.000 +1\.000 +1 +2/);
  expect(stdout).toMatch(/AP 50 +1\.0000/);
});

test('eval takes the labels of YOLO and of PASCAL VOC as well', async () => {
  const yolo = join(folder.path, 'yolo');
  const voc = join(folder.path, 'voc');
  for (const path of [join(yolo, 'labels'), join(voc, 'Annotations')]) mkdirSync(path, { recursive: true });
  cpSync(images, join(yolo, 'images'), { recursive: true });
  cpSync(images, join(voc, 'JPEGImages'), { recursive: true });
  writeFileSync(join(yolo, 'data.yaml'), 'val: images\nnames: [class 0]\n');
  writeFileSync(join(yolo, 'labels/a.txt'), '0 0.5 0.5 0.5 0.5\n');
  const corners = '<xmin>17</xmin><ymin>9</ymin><xmax>48</xmax><ymax>24</ymax>';
  const bird = `<object><name>bird</name><bndbox>${corners}</bndbox></object>`;
  writeFileSync(join(voc, 'Annotations/a.xml'), `<annotation>${bird}</annotation>`);
  writeFileSync(join(voc, 'Annotations/b.xml'), '<annotation/>');
  const [model, ...options] = net;
  const found = await convkit(['eval', model, ...options, '--data', yolo, '--json']);
  expect(found.stderr).toContain('1 of 2 images have no label file and count as empty');
  expect(lastJson(found)).toMatchObject({ images: 2, ap: expect.closeTo(1, 9) as number });
  const other = await convkit(['eval', model, ...options, '--data', voc]);
  expect(other.stderr).toMatch(/the model knows none of the classes of the data: class 0 … against aeroplane, bicycle/);
});

const wrong: [title: string, args: string[], message: RegExp][] = [
  ['a classifier', ['detect', 'resnet8', images, '--weights', 'w'], /resnet8 classifies images, it does not find objects/],
  ['a detector that is to classify', ['classify', 'yolov8n', images], /yolov8n finds objects, it does not classify/],
  ['frames without a stream', ['detect', ...net, images, '--frames', '4x4'], /--frames belongs to frames on standard input/],
  ['a stream among pictures', ['detect', ...net, images, '-'], /do not go together/],
  [
    'a class that the model lacks',
    ['detect', ...net, images, '--classes', 'class 1'],
    /no class 'class 1'; did you mean class 0\?/,
  ],
  ['a size that is none', ['detect', ...net, images, '--size', '640x'], /Expected a number of pixels, or WIDTHxHEIGHT/],
  ['data that is none', ['eval', ...net, '--data', 'cocoa'], /--data cocoa: expected coco, .*did you mean coco\?/],
];

test.each(wrong)('%s is wrong usage: exit code 2, one line that says what to do', async (_, args, message) => {
  const { code, stdout, stderr } = await convkit(args);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^error: .*\n$/);
  expect(code).toBe(2);
  expect(stdout).not.toContain('class 0');
});

test('weights of the wrong length are a failure that names the layer', async () => {
  const path = join(folder.path, 'short.weights');
  writeFileSync(path, weights().subarray(0, 60));
  const { code, stderr } = await convkit(['detect', net[0], images, '--weights', path]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: .*short\.weights.*\n$/);
});
