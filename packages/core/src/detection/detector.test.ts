import { type Tensor, type Tensor4D, concat, memory, mul, reshape, slice, tensor3d, tile } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { selectBackend } from '../backend/select.js';
import type { Image } from '../image.js';
import { type Detection, Detector, type Found, evaluateDetector } from './index.js';

/** Proposes the upper left quarter, with the brightness of its first pixel in red and green as the scores of two classes, and a rival of it. */
class Quarter extends Detector<Tensor> {
  readonly heads = [];
  readonly batches: number[] = [];

  constructor(defaults = {}, classes = ['red', 'green']) {
    super({
      numClasses: 2,
      classes,
      preprocessing: { size: [8, 16], mean: [0, 0, 0], std: [1, 1, 1] },
      defaults,
    });
  }

  forward(x: Tensor): Tensor {
    this.batches.push(x.shape[0]);
    return x;
  }

  protected decode(x: Tensor) {
    const [n, height, width] = x.shape as [number, number, number];
    const scores = reshape(slice(x as Tensor4D, [0, height / 4, width / 4, 0], [n, 1, 1, 2]), [n, 1, 2]);
    const boxes = tensor3d([0, 0, width / 2, height / 2, 0, 0, width / 2, height / 2 - 0.5], [1, 2, 4]);
    const extras = tensor3d([1, 2, 3, 4], [1, 2, 2]);
    return {
      boxes: tile(boxes, [n, 1, 1]),
      scores: concat([scores, mul(scores, 0.9)], 1),
      extras: tile(extras, [n, 1, 1]),
    };
  }

  protected override finish({ detection, extras, inputBox }: Found): Detection {
    return { ...detection, keypoints: [{ x: extras[0], y: extras[1], score: inputBox[2] }] };
  }
}

const plain = (red: number, green: number, width = 32, height = 16): Image => ({
  pixels: Uint8Array.from({ length: width * height * 3 }, (_, i) => [red, green, 0][i % 3]),
  width,
  height,
});

beforeAll(async () => {
  await selectBackend('cpu');
});

test('a detection has the class, its name, its score and its box in pixels of the image', async () => {
  const [first, ...others] = await new Quarter().detect(plain(51, 204));
  expect(others).toEqual([]);
  expect(first).toEqual({
    class: 1,
    label: 'green',
    score: Math.fround(204 / 255),
    box: [0, 0, 16, 8],
    keypoints: [{ x: 1, y: 2, score: 8 }],
  });
});

test("what is not given has the net's own default", async () => {
  expect(await new Quarter().detect(plain(100, 102), { multiLabel: true })).toHaveLength(2);
  expect(await new Quarter({ multiLabel: true }).detect(plain(100, 102))).toHaveLength(2);
  expect(await new Quarter({ iou: 0.9 }).detect(plain(100, 102))).toHaveLength(2); // overlap of 3.5 / 4
  expect(await new Quarter({ iou: 0.85 }).detect(plain(100, 102))).toHaveLength(1);
  expect(await new Quarter({ confidence: 0.5 }).detect(plain(100, 102))).toEqual([]);
  expect(await new Quarter().detect(plain(100, 102), { only: [0] })).toEqual([]);
});

test('images go through the net in batches, in their order', async () => {
  const model = new Quarter();
  const images = [90, 120, 150].map((green) => plain(0, green, 20 + green, 40));
  const found = await model.detectAll(images, { batchSize: 2 });
  expect(model.batches).toEqual([2, 1]);
  expect(found.map(([{ score }]) => Math.round(score * 255))).toEqual([90, 120, 150]);
  expect(await model.detectAll([])).toEqual([]);
});

test('the size of the input may be changed', async () => {
  const model = new Quarter();
  model.inputSize = [64, 64];
  const [{ box }] = await model.detect(plain(0, 255));
  expect(box).toEqual([0, 0, 16, 8]); // half of the width; of the height what lies below the border
});

test('no tensor is left, after errors neither', async () => {
  const model = new Quarter();
  const before = memory().numTensors;
  await model.detectAll([plain(9, 200), plain(0, 0)], { batchSize: 2 });
  expect(memory().numTensors).toBe(before);
  model.forward = () => {
    throw new Error('out of order');
  };
  await expect(model.detect(plain(0, 0))).rejects.toThrow('out of order');
  model.forward = (x) => mul(x, NaN);
  await expect(model.detect(plain(9, 9))).rejects.toThrow('the score of candidate 0 is not a number');
  expect(memory().numTensors).toBe(before);
});

test('class names that do not fit are refused', () => {
  expect(() => new Quarter({}, ['one'])).toThrow('The net has 2 classes, but 1 class names were given.');
});

test('an evaluation takes the classes of the data, and what it has none for does not count', async () => {
  const truth = { class: 0, box: [0, 0, 16, 8] as const };
  const images = {
    length: 2,
    load: (i: number) => Promise.resolve({ id: i, image: plain(i === 0 ? 0 : 255, 204), objects: i === 0 ? [truth] : [] }),
  };
  const seen: number[][] = [];
  const evaluation = await evaluateDetector(new Quarter(), images, {
    classIndices: [-1, 0],
    onImage: ({ detections }) => void seen.push(detections.map((found) => found.class)),
  });
  expect(seen).toEqual([[0], [0]]); // green, as class 0; red is not counted
  expect(evaluation.result().summary.ap).toBeCloseTo(1, 9);
});
