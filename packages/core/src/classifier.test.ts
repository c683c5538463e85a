import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor, memory, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { selectBackend } from './backend/select.js';
import { Classifier } from './classifier.js';
import { freeze } from './freeze.js';
import { globalAvgPool, relu } from './functional.js';
import { type Image, type Preprocessing, preprocess } from './image.js';
import { Conv2d } from './layers/conv2d.js';
import { Dropout } from './layers/dropout.js';
import { Linear } from './layers/linear.js';
import { type Context, Sequential, inference, pipe } from './module.js';
import { writeImage } from './node/index.js';

const preprocessing: Preprocessing = { size: 4, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] };

class Net extends Classifier {
  readonly conv = new Conv2d(3, 8, 3);
  readonly aux: Linear;
  readonly classifier: Sequential;
  constructor(numClasses = 5) {
    super({ numClasses, preprocessing });
    this.aux = new Linear(8, numClasses);
    this.classifier = new Sequential([new Linear(8, 6), relu, new Dropout(0.5), new Linear(6, numClasses)]);
  }
  override get heads(): readonly string[] {
    return ['classifier.3', 'aux'];
  }
  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv, relu, globalAvgPool, this.classifier);
  }
}

const pixels = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => (i * 37) % 256);
const image: Image = { pixels, width: 4, height: 4 };
const rows = Array.from({ length: 4 }, (_, y) =>
  Array.from({ length: 4 }, (_, x) => [...pixels.subarray((y * 4 + x) * 3, (y * 4 + x) * 3 + 3)]),
);

beforeAll(() => selectBackend('cpu'));

test('an image is classified alike in each of its forms, and nothing leaks', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'convkit-classify-'));
  const path = join(folder, 'image.png');
  await writeImage(path, image);
  const net = new Net().initialize(3);
  const before = memory().numTensors;
  const expected = await net.classify(image);
  expect(expected.map(({ score }) => score).reduce((a, b) => a + b)).toBeCloseTo(1, 5);

  const data = Uint8ClampedArray.from(rows.flat().flatMap((pixel) => [...pixel, 77]));
  const imageData = { data, width: 4, height: 4, colorSpace: 'srgb' } as ImageData;
  const tensor = tensor3d([...pixels], [4, 4, 3], 'int32');
  for (const form of [path, new Uint8Array(readFileSync(path)), readFileSync(path), imageData, rows, tensor]) {
    expect(await net.classify(form)).toEqual(expected);
  }
  const batch = tensor4d([...pixels, ...pixels], [2, 4, 4, 3], 'int32');
  expect(await net.classifyAll(batch)).toEqual([expected, expected]);
  const values = tensor4d(preprocess(image, preprocessing), [1, 4, 4, 3]);
  expect(await net.classifyAll(values)).toEqual([expected]);
  for (const used of [tensor, batch, values]) used.dispose();
  expect(memory().numTensors).toBe(before);
  net.dispose();
  rmSync(folder, { recursive: true });
});

test('an input that is no image is refused with what is expected, and nothing leaks', async () => {
  const net = new Net().initialize(3);
  const [floats, gray] = [tensor3d([...pixels], [4, 4, 3]), tensor4d([...pixels], [1, 4, 12, 1], 'int32')];
  const before = memory().numTensors;
  await expect(net.classify({} as Image)).rejects.toThrow('Expected an image');
  await expect(net.classify([[[1, 2, 3]], [[1, 2]]])).rejects.toThrow('[height][width][3]');
  await expect(net.classify(floats)).rejects.toThrow('found float32 [4,4,3]');
  await expect(net.classifyAll(gray)).rejects.toThrow('[N, H, W, 3], found [1,4,12,1]');
  await expect(net.classifyAll([])).rejects.toThrow('at least one image');
  await expect(net.classify('/no/such/file.png')).rejects.toThrow('/no/such/file.png');
  expect(memory().numTensors).toBe(before);
  net.dispose();
});

test('embed gives what the head takes, and does not run the head', async () => {
  const net = new Net().initialize(3);
  const before = memory().numTensors;
  const embedding = await net.embed([image, image]);
  expect(embedding.shape).toEqual([2, 6]);
  const x = tensor4d(preprocess(image, preprocessing), [1, 4, 4, 3]);
  const head = tidy(() => net.classifier.parts().at(-1)![1].forward(embedding, inference));
  const logits = tidy(() => net.forward(x, inference));
  expect([...head.dataSync().slice(0, 5)]).toEqual([...logits.dataSync()]);
  for (const used of [embedding, x, head, logits]) used.dispose();
  expect(memory().numTensors).toBe(before);
  net.dispose();
});

test('replaceHead gives all heads other classes, keeps the rest, and draws what initialize draws', async () => {
  const net = new Net().initialize(3);
  const conv = await net.conv.weight.read();
  const before = memory().numTensors;
  freeze(net, /(?:)/);
  net.replaceHead(2, { classes: ['cat', 'dog'], seed: 8 });
  expect(memory().numTensors).toBe(before);
  expect(net.classes).toEqual(['cat', 'dog']);
  expect([...net.parameters()].filter(([, { trainable }]) => trainable).map(([name]) => name)).toEqual([
    ...['aux.weight', 'aux.bias', 'classifier.3.weight', 'classifier.3.bias'],
  ]);
  const fresh = new Net(2).initialize(8);
  const [now, drawn] = [new Map(net.parameters()), new Map(fresh.parameters())];
  for (const name of ['classifier.3.weight', 'classifier.3.bias', 'aux.weight']) {
    expect(await now.get(name)!.read()).toEqual(await drawn.get(name)!.read());
  }
  expect(await net.conv.weight.read()).toEqual(conv);
  expect((await net.classify(image)).map(({ label }) => label).sort()).toEqual(['cat', 'dog']);
  expect(() => net.replaceHead(2, { classes: ['cat'] })).toThrow('2 classes, but 1 class names');
  net.dispose();
  fresh.dispose();
});

test('without heads of its own the last linear layer is the head', () => {
  class Plain extends Classifier {
    readonly hidden = new Linear(3, 4);
    readonly out = new Sequential([new Linear(4, 2)]);
    readonly conv = new Conv2d(3, 3, 1);
    forward(x: Tensor, ctx: Context): Tensor {
      return pipe(ctx, x, this.conv, globalAvgPool, this.hidden, this.out);
    }
  }
  expect(new Plain({ numClasses: 2, preprocessing }).heads).toEqual(['out.0']);
});
