import { FormatError } from '@convkit/core';
import type { Image } from '@convkit/core';
import type { Batch } from '@convkit/core/train';
import { expect, test } from 'vitest';
import type { Dataset } from './dataset.js';
import { loader } from './loader.js';
import type { LoaderOptions } from './loader.js';
import { syntheticShapes } from './synthetic.js';

const preprocessing = { size: 32, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;
const augment = { crop: { padding: 4 }, flip: true };
const shapes = syntheticShapes({ size: 50 });

async function collect(source: AsyncIterable<Batch>): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of source) batches.push(batch);
  return batches;
}

/** Images of 2×2 that are decoded in odd order; says which were asked for, and fails on `broken`. */
function slowDataset(
  length: number,
  broken: readonly number[] = [],
  makeError = (i: number) => new FormatError(`image ${i} is cut`),
  delayMs = (i: number) => (i * 7) % 4,
) {
  const asked: number[] = [];
  let running = 0;
  let mostRunning = 0;
  const dataset: Dataset = {
    name: 'slow',
    classes: ['a', 'b'],
    length,
    label: (i) => i % 2,
    describe: (i) => `file-${i}`,
    async image(i): Promise<Image> {
      asked.push(i);
      mostRunning = Math.max(mostRunning, ++running);
      await new Promise((resolve) => setTimeout(resolve, delayMs(i)));
      running--;
      if (broken.includes(i)) throw makeError(i);
      return { width: 2, height: 2, pixels: new Uint8Array(12).fill(i) };
    },
  };
  return { dataset, asked, mostRunning: () => mostRunning, running: () => running };
}
const slowOptions: LoaderOptions = {
  batchSize: 4,
  preprocessing: { size: 2, mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] },
};

test('an epoch holds every image once, in order, the last batch smaller', async () => {
  const source = loader(shapes, { batchSize: 16, preprocessing });
  expect([source.size, source.batchesPerEpoch, source.classes.length]).toEqual([50, 4, 10]);
  const batches = await collect(source.epoch({ epoch: 1, seed: 0 }));
  expect(batches.map((batch) => batch.shape)).toEqual([
    [16, 32, 32, 3],
    [16, 32, 32, 3],
    [16, 32, 32, 3],
    [2, 32, 32, 3],
  ]);
  expect(batches.flatMap((batch) => [...batch.labels])).toEqual(Array.from({ length: 50 }, (_, i) => i % 10));
  expect(batches[1].images[3]).toBeCloseTo((shapes.image(16).pixels[3] / 255 - 0.5) / 0.25, 5);
});

test('dropLast leaves out the batch that is not full', async () => {
  const source = loader(shapes, { batchSize: 16, preprocessing, dropLast: true });
  expect([source.size, source.batchesPerEpoch]).toEqual([48, 3]);
  expect((await collect(source.epoch({ epoch: 1, seed: 0 }))).length).toBe(3);
});

test('the same seed and epoch give the same batches; another epoch or seed gives others', async () => {
  const source = loader(shapes, { batchSize: 16, preprocessing, shuffle: true, augment });
  const first = await collect(source.epoch({ epoch: 2, seed: 9 }));
  expect(await collect(source.epoch({ epoch: 2, seed: 9 }))).toEqual(first);
  expect(await collect(source.epoch({ epoch: 3, seed: 9 }))).not.toEqual(first);
  expect(await collect(source.epoch({ epoch: 2, seed: 8 }))).not.toEqual(first);
  const inOrder = loader(shapes, { batchSize: 16, preprocessing, augment });
  expect(await collect(inOrder.epoch({ epoch: 2, seed: 9 }))).not.toEqual(await collect(inOrder.epoch({ epoch: 3, seed: 9 })));
});

test('how many batches are made ahead does not alter them', async () => {
  const epoch = { epoch: 0, seed: 4 };
  const reference = await collect(
    loader(shapes, { batchSize: 8, preprocessing, shuffle: true, augment, prefetch: 1 }).epoch(epoch),
  );
  for (const prefetch of [2, 4, 20]) {
    expect(await collect(loader(shapes, { batchSize: 8, preprocessing, shuffle: true, augment, prefetch }).epoch(epoch))).toEqual(
      reference,
    );
  }
});

test('an epoch can begin at a later batch, without decoding what lies before', async () => {
  const { dataset, asked } = slowDataset(20);
  const source = loader(dataset, { ...slowOptions, augment: { flip: true } });
  const whole = await collect(source.epoch({ epoch: 1, seed: 1 }));
  asked.length = 0;
  expect(await collect(source.epoch({ epoch: 1, seed: 1, start: 3 }))).toEqual(whole.slice(3));
  expect([...asked].sort((a, b) => a - b)).toEqual([12, 13, 14, 15, 16, 17, 18, 19]);
  expect(await collect(source.epoch({ epoch: 1, seed: 1, start: 5 }))).toEqual([]);
});

test('images that need decoding keep their place, and few are decoded at a time', async () => {
  const { dataset, mostRunning } = slowDataset(64);
  const batches = await collect(loader(dataset, { ...slowOptions, batchSize: 16, prefetch: 2 }).epoch({ epoch: 0, seed: 0 }));
  expect(
    batches.flatMap(({ images }) => Array.from({ length: images.length / 12 }, (_, i) => Math.round(images[i * 12]))),
  ).toEqual(Array.from({ length: 64 }, (_, i) => i));
  expect(mostRunning()).toBeLessThanOrEqual(16);
});

test('images of another size are brought to the size of the input', async () => {
  const source = loader(shapes, {
    batchSize: 2,
    preprocessing: { ...preprocessing, size: [24, 20], resize: 28 },
    augment: { flip: true },
  });
  for await (const batch of source.epoch({ epoch: 0, seed: 0 })) {
    expect(batch.shape).toEqual([2, 24, 20, 3]);
    break;
  }
});

test('leaving the loop early stops the work ahead and waits for what is under way', async () => {
  const { dataset, asked, running } = slowDataset(400, [], undefined, (i) => (i < 32 ? 0 : 40));
  for await (const batch of loader(dataset, { ...slowOptions, batchSize: 32, prefetch: 3 }).epoch({ epoch: 0, seed: 0 })) {
    expect(batch.shape[0]).toBe(32);
    break;
  }
  expect(running()).toBe(0);
  const soFar = asked.length;
  expect(soFar).toBeLessThan(3 * 32); // all four batches would be 128
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(asked.length).toBe(soFar);
});

test('batches are ready before they are asked for', async () => {
  const { dataset, asked } = slowDataset(40);
  const source = loader(dataset, { ...slowOptions, prefetch: 3 });
  const batches = source.epoch({ epoch: 0, seed: 0 })[Symbol.asyncIterator]();
  await batches.next();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(asked.length).toBe(16); // the one in use, and three
  await batches.return?.();
});

test('a corrupt image fails at its batch, after the batches before it', async () => {
  const { dataset } = slowDataset(40, [9]);
  const seen: Batch[] = [];
  const run = async (): Promise<void> => {
    for await (const batch of loader(dataset, slowOptions).epoch({ epoch: 0, seed: 0 })) seen.push(batch);
  };
  await expect(run()).rejects.toThrow('image 9 is cut');
  expect(seen.length).toBe(2);
});

test('up to maxCorrupt images are left out and reported, exactly those', async () => {
  const { dataset } = slowDataset(200, [9, 77]);
  const reported: string[] = [];
  const source = loader(dataset, { ...slowOptions, shuffle: true, maxCorrupt: 2, onCorrupt: (reason) => reported.push(reason) });
  for (const epoch of [0, 1]) {
    const batches = await collect(source.epoch({ epoch, seed: 0 }));
    expect(batches.reduce((sum, batch) => sum + batch.labels.length, 0)).toBe(198);
    for (const { images, shape, labels } of batches) {
      expect(images.length).toBe(shape[0] * 12);
      labels.forEach((label, i) => expect(Math.round(images[i * 12]) % 2).toBe(label));
    }
  }
  expect([...reported].sort()).toEqual(['image 77 is cut', 'image 9 is cut']);
  expect([...source.corrupt].sort()).toEqual([...reported].sort());
});

test('one more corrupt image than maxCorrupt stops the run and names them all', async () => {
  const { dataset } = slowDataset(40, [3, 9, 11]);
  const run = collect(loader(dataset, { ...slowOptions, maxCorrupt: 2 }).epoch({ epoch: 0, seed: 0 }));
  await expect(run).rejects.toThrow('slow: more than 2 images are corrupt: file-3, file-9, file-11');
});

test('other errors are not taken for corrupt images', async () => {
  const { dataset } = slowDataset(8, [1], () => new Error('disk on fire') as FormatError);
  await expect(collect(loader(dataset, { ...slowOptions, maxCorrupt: 5 }).epoch({ epoch: 0, seed: 0 }))).rejects.toThrow(
    'disk on fire',
  );
});

test.each([
  [{ batchSize: 0 }, 'expected batchSize of at least 1, found 0'],
  [{ batchSize: 2.5 }, 'expected batchSize of at least 1, found 2.5'],
  [{ prefetch: 0 }, 'expected prefetch of at least 1, found 0'],
  [{ batchSize: 64, dropLast: true }, '50 images give no batch of 64'],
  [{ augment: { crop: { padding: -1 } } }, 'expected crop.padding of at least 0, found -1'],
])('options that cannot work are refused: %o', (options, message) => {
  expect(() => loader(shapes, { batchSize: 8, preprocessing, ...options })).toThrow(message);
});
