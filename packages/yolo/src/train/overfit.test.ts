import { Random, selectBackend } from '@convkit/core';
import { type Detector, type GroundTruth, evaluateDetector } from '@convkit/core/detection';
import { type BatchSource, type DetectionLabels, Trainer, adam, constant } from '@convkit/core/train';
import { beforeAll, expect, test } from 'vitest';
import type { DarknetDetector } from '../darknet/detector.js';
import { fromConfig } from '../darknet/from-config.js';
import { YoloV8 } from '../v8/yolov8.js';

const SIDE = 64;
const classes = ['red', 'green'];

/** Dark images with one or two rectangles, red or green. */
const samples = Array.from({ length: 6 }, (_, id) => {
  const random = new Random(id).child('rectangles');
  const pixels = new Uint8Array(SIDE * SIDE * 3).map(() => 40 + random.int(30));
  const objects = Array.from({ length: 1 + (id % 2) }, (_unused, i): GroundTruth => {
    const [w, h] = [14 + random.int(14), 14 + random.int(14)];
    const [x, y] = [i * 32 + random.int(33 - Math.min(w, 32)), random.int(SIDE - h)];
    const label = random.int(2);
    for (let row = y; row < y + h; row++)
      for (let column = x; column < x + w; column++) pixels[(row * SIDE + column) * 3 + label] = 230;
    return { class: label, box: [x, y, x + w, y + h] };
  });
  return { id, image: { pixels, width: SIDE, height: SIDE }, objects };
});

/** All images in one batch. */
const source: BatchSource<DetectionLabels> = {
  ...{ size: samples.length, batchesPerEpoch: 1, classes },
  async *epoch() {
    await Promise.resolve();
    const images = Float32Array.from(
      samples.flatMap(({ image }) => [...image.pixels]),
      (value) => value / 255,
    );
    const objects = samples.map(({ objects: own }) => ({
      boxes: Float32Array.from(own.flatMap(({ box }) => box)),
      classes: Int32Array.from(own, (object) => object.class),
    }));
    yield {
      images,
      shape: [samples.length, SIDE, SIDE, 3],
      labels: { length: samples.length, inputSize: [SIDE, SIDE], objects },
    };
  },
};

const config = { numClasses: 2, classes, preprocessing: { size: SIDE, mean: [0, 0, 0], std: [1, 1, 1] } } as const;

/** A net in YOLOv3's manner with five layers. */
const darknet = `[net]
width=${SIDE}
height=${SIDE}
channels=3
${[12, 24, 32, 48].map((filters) => `[convolutional]\nbatch_normalize=1\nfilters=${filters}\nsize=3\nstride=2\npad=1\nactivation=leaky\n`).join('')}
[convolutional]
filters=21
size=1
stride=1
activation=linear
[yolo]
mask=0,1,2
anchors=14,22, 20,18, 26,26
classes=2
ignore_thresh=.5
`;

/** Trains until the images are learnt, and gives the average precision at IoU 0.5. */
async function learn<Output>(model: Detector<Output>, epochs: number): Promise<number> {
  const trainer = new Trainer<Output, DetectionLabels>(model, {
    optimizer: adam(),
    schedule: constant({ peak: 0.01, warmupEpochs: 5 }),
    loss: model.trainingLoss(),
    clipNorm: 10,
    ema: { decay: 0.9, ramp: 10 },
  });
  await trainer.fit(source, { epochs, seed: 0 });
  const images = { length: samples.length, load: (i: number) => Promise.resolve(samples[i]) };
  const { ap50 } = (await evaluateDetector(model, images, { batchSize: 6 })).result().summary;
  model.dispose();
  return ap50;
}

beforeAll(() => selectBackend('wasm'));

test('a small YOLOv8 learns six images by heart', { timeout: 300_000 }, async () => {
  const scale = { depth: 0.33, width: 0.125, maxChannels: 256 };
  expect(await learn(new YoloV8({ ...config, scale, task: 'detect', keypoints: 0 }), 100)).toBeGreaterThan(0.8);
});

test('a small YOLOv3 learns six images by heart', { timeout: 300_000 }, async () => {
  expect(await learn(fromConfig(darknet, 'small')(config) as DarknetDetector, 80)).toBeGreaterThan(0.9);
});
