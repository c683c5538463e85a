import { type Image, selectBackend, toImage } from '@convkit/core';
import { rleBox } from '@convkit/core/detection';
import { fillModel, goldenBackend, noise } from '@convkit/model-tests';
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { yolov8n, yolov8nCls, yolov8nPose, yolov8nSeg } from './variants.js';
import type { YoloV8 } from './yolov8.js';

beforeAll(() => selectBackend(goldenBackend));

const width = 90;
const height = 50;
const image: Image = { width, height, pixels: Uint8Array.from(noise('image', width * height * 3), (u) => (u + 1) * 127.5) };
const preprocessing = { size: [64, 96], mean: [0, 0, 0], std: [1, 1, 1] } as const;
/** All that weights without meaning find. */
const options = { confidence: 0.01, maxDetections: 20 };

/** Runs `use` on a net with weights of no meaning, and checks that nothing is left in memory. */
async function withNet(create: () => YoloV8, use: (model: YoloV8) => Promise<void>): Promise<void> {
  const before = memory().numTensors;
  const model = create();
  fillModel(model.initialize(), [['dfl', 'keep']]);
  await use(model);
  model.dispose();
  expect(memory().numTensors, 'tensors left in memory').toBe(before);
}

const inside = (value: number, low: number, high: number): boolean => value >= low && value <= high;

test('boxes lie in the image, best first, of known classes; several images go through at once', async () => {
  await withNet(
    () => yolov8n({ preprocessing }),
    async (model) => {
      const found = await model.detect(image, options);
      expect(found.length).toBe(20);
      for (const [i, { class: index, label, score, box }] of found.entries()) {
        expect(label).toBe(model.classes[index]);
        expect(score).toBeLessThanOrEqual(found[Math.max(0, i - 1)].score);
        expect([0, 2].every((side) => inside(box[side], 0, width)) && [1, 3].every((side) => inside(box[side], 0, height))).toBe(
          true,
        );
      }
      const both = await model.detectAll([await toImage(image), image, image], { ...options, batchSize: 2 });
      for (const each of both) expect(each).toEqual(found);
      expect(await model.detect(image, { confidence: 1 })).toEqual([]);
    },
  );
});

test('a net for segmentation adds a mask of the size of the image, inside of the box', async () => {
  await withNet(
    () => yolov8nSeg({ preprocessing }),
    async (model) => {
      const found = await model.detect(image, options);
      expect(found.length).toBe(20);
      const pixels = found.map(({ mask, box: [x1, y1, x2, y2] }) => {
        expect(mask?.size).toEqual([height, width]);
        const [left, top, right, bottom] = rleBox(mask!);
        expect(right === 0 || (left >= x1 - 0.5 && right <= x2 + 0.5 && top >= y1 - 0.5 && bottom <= y2 + 0.5)).toBe(true);
        return mask!.counts.filter((_, i) => i % 2 === 1).reduce((a, b) => a + b, 0);
      });
      expect(Math.max(...pixels)).toBeGreaterThan(0);
    },
  );
});

test('a net for poses adds 17 joints', async () => {
  await withNet(
    () => yolov8nPose({ preprocessing }),
    async (model) => {
      for (const { label, keypoints } of await model.detect(image, options)) {
        expect(label).toBe('person');
        expect(keypoints?.length).toBe(17);
        for (const { x, y, score } of keypoints!) {
          expect(inside(x, 0, width) && inside(y, 0, height) && inside(score, 0, 1)).toBe(true);
        }
      }
    },
  );
});

test('a classifier takes the middle of an image whose shorter side is resized to its input', async () => {
  const before = memory().numTensors;
  const model = yolov8nCls({ numClasses: 10 });
  fillModel(model);
  expect(model.preprocessing).toEqual({ size: 224, resize: 224, interpolation: 'bilinear', mean: [0, 0, 0], std: [1, 1, 1] });
  const predictions = await model.classify(image, { topk: 10 });
  expect(predictions.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
  model.dispose();
  expect(memory().numTensors).toBe(before);
});
