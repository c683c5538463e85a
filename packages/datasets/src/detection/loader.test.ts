import type { GroundTruth } from '@convkit/core/detection';
import type { Batch, DetectionLabels } from '@convkit/core/train';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { DetectionDataset } from './dataset.js';
import { type DetectionLoaderOptions, detectionLoader } from './loader.js';
import { syntheticDetection } from './synthetic.js';

const data = syntheticDetection({ size: 10, side: 64 });
const options: DetectionLoaderOptions = { batchSize: 4, inputSize: [64, 96], shuffle: true, augment: {}, epochs: 20 };

async function batches(given: Partial<DetectionLoaderOptions>, at: { epoch: number; seed: number; start?: number }, set = data) {
  const found: Batch<DetectionLabels>[] = [];
  for await (const batch of detectionLoader(set, { ...options, ...given }).epoch(at)) found.push(batch);
  return found;
}

const hash = (found: readonly Batch<DetectionLabels>[]): string[] =>
  found.map(({ images, labels }) =>
    createHash('sha256')
      .update(new Uint8Array(images.buffer))
      .update(JSON.stringify(labels.objects.map(({ boxes, classes }) => [[...boxes], [...classes]])))
      .digest('hex'),
  );

/** A data set of one 64 × 64 image with these objects. */
const only = (objects: readonly GroundTruth[]): DetectionDataset => ({
  ...{ name: 'own', length: 1, classes: ['a', 'b'], ids: ['photo-7'] },
  load: () =>
    Promise.resolve({
      id: 'photo-7',
      fileName: 'x',
      image: { pixels: new Uint8Array(64 * 64 * 3), width: 64, height: 64 },
      objects,
    }),
});

test('a batch has images in 0 … 1 and the objects of each', async () => {
  const [batch, , last] = await batches({}, { epoch: 0, seed: 0 });
  expect(batch.shape).toEqual([4, 64, 96, 3]);
  expect(batch.images.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(batch.labels).toMatchObject({ length: 4, inputSize: [64, 96] });
  for (const { boxes, classes } of batch.labels.objects) {
    expect(boxes.length).toBe(4 * classes.length);
    boxes.forEach((side, i) => expect(side >= 0 && side <= [96, 64][i % 2]).toBe(true));
  }
  expect(last.shape[0]).toBe(2);
  expect((await batches({ dropLast: true }, { epoch: 0, seed: 0 })).length).toBe(2);
});

test('seed and epoch decide the batches, not what was made ahead or where the epoch was entered', async () => {
  const whole = hash(await batches({ prefetch: 1 }, { epoch: 3, seed: 5 }));
  expect(hash(await batches({ prefetch: 3 }, { epoch: 3, seed: 5 }))).toEqual(whole);
  expect(hash(await batches({}, { epoch: 3, seed: 5, start: 1 }))).toEqual(whole.slice(1));
  expect(hash(await batches({}, { epoch: 4, seed: 5 }))).not.toEqual(whole);
  expect(hash(await batches({}, { epoch: 3, seed: 6 }))).not.toEqual(whole);
});

test('mosaics end some epochs before the run does', async () => {
  const only64 = { augment: { hsv: [0, 0, 0], flip: 0, translate: 0, scale: 0, closeMosaic: 5 }, shuffle: false } as const;
  const plain = hash(await batches({ augment: undefined, shuffle: false, inputSize: [64, 64] }, { epoch: 0, seed: 0 }));
  const closed = hash(await batches({ ...only64, inputSize: [64, 64] }, { epoch: 15, seed: 0 }));
  expect(closed).toEqual(plain);
  expect(hash(await batches({ ...only64, inputSize: [64, 64] }, { epoch: 14, seed: 0 }))).not.toEqual(plain);
});

test('sizes are drawn around that of the net, a multiple of 32 for each batch', async () => {
  const sizes = new Set<string>();
  for (let epoch = 0; epoch < 6; epoch++) {
    for (const { shape, labels } of await batches({ augment: { multiScale: 0.5 }, inputSize: [128, 128] }, { epoch, seed: 0 })) {
      expect(labels.inputSize).toEqual(shape.slice(1, 3));
      sizes.add(shape.slice(1, 3).join('×'));
    }
  }
  expect([...sizes].every((size) => ['64×64', '96×96', '128×128', '160×160', '192×192'].includes(size))).toBe(true);
  expect(sizes.size).toBeGreaterThan(2);
});

test('images without objects are trained on, crowds and ignored objects are not', async () => {
  const box = [4, 4, 40, 40] as const;
  const set = only([
    { class: 0, box, crowd: true },
    { class: 1, box, ignore: true },
  ]);
  const [{ labels }] = await batches({ batchSize: 1 }, { epoch: 0, seed: 0 }, set);
  expect(labels.objects[0].classes.length).toBe(0);
});

test.each<[string, GroundTruth, string]>([
  [
    'a class that there is not',
    { class: 2, box: [0, 0, 4, 4] },
    'own, image photo-7: expected a class in 0 … 1 of object 0, found 2',
  ],
  [
    'a corner that is no number',
    { class: 0, box: [0, NaN, 4, 4] },
    'own, image photo-7: expected corners x1 ≤ x2, y1 ≤ y2 of object 0',
  ],
  ['swapped corners', { class: 0, box: [9, 0, 4, 4] }, 'found 9, 0, 4, 4'],
])('the image is named that has %s', async (_, object, message) => {
  await expect(batches({ batchSize: 1 }, { epoch: 0, seed: 0 }, only([object]))).rejects.toThrow(message);
});

test.each<[Partial<DetectionLoaderOptions>, string]>([
  [{ batchSize: 0 }, 'expected batchSize of at least 1, found 0'],
  [{ inputSize: [100, 96] }, 'expected an input size of multiples of 32, found 100×96'],
  [{ epochs: undefined }, 'augment needs the epochs of the run'],
  [{ batchSize: 11, dropLast: true }, '10 images give no batch of 11'],
])('options out of range are refused: %j', (given, message) => {
  expect(() => detectionLoader(data, { ...options, ...given })).toThrow(message);
});
