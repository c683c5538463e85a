/** Prints the figures of the README; the bounds are loose, for machines that do other work at the same time. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeImage } from '@convkit/core/node';
import { expect, onTestFinished, test } from 'vitest';
import type { Dataset } from './dataset.js';
import { loader } from './loader.js';
import type { LoaderOptions } from './loader.js';
import { imageFolder } from './node/image-folder.js';
import { syntheticShapes } from './synthetic.js';

const normalisation = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;

/** Milliseconds a batch, over the best of some epochs. */
async function msPerBatch(dataset: Dataset, options: LoaderOptions, epochs: number): Promise<number> {
  const source = loader(dataset, { shuffle: true, dropLast: true, ...options });
  let best = Infinity;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const start = performance.now();
    let batches = 0;
    for await (const { labels } of source.epoch({ epoch, seed: 0 })) if (labels.length > 0) batches++;
    best = Math.min(best, (performance.now() - start) / batches);
  }
  return best;
}

test('5,000 synthetic images are drawn and batches of 128 assembled faster than a training step', async () => {
  const start = performance.now();
  const shapes = syntheticShapes({ size: 5000 });
  const drawn = performance.now() - start;
  const augment = { crop: { padding: 4 }, flip: true };
  const batch = await msPerBatch(shapes, { batchSize: 128, augment, preprocessing: { size: 32, ...normalisation } }, 8);
  console.log(
    `5,000 synthetic images: ${drawn.toFixed(0)} ms; a batch of 128 with crop, flip, normalise: ${batch.toFixed(2)} ms`,
  );
  expect(drawn).toBeLessThan(20_000);
  expect(batch).toBeLessThan(40);
});

test('JPEG files are decoded and cropped to 224×224', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'convkit-speed-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'a'));
  const pixels = Uint8Array.from({ length: 500 * 375 * 3 }, (_, i) => (i * 7 + (i >> 9)) & 255);
  for (let i = 0; i < 32; i++) await writeImage(join(dir, 'a', `${i}.jpg`), { pixels, width: 500, height: 375 });
  const preprocessing = { size: 224, resize: 256, ...normalisation };
  const folder = await imageFolder(dir);
  const fixed = await msPerBatch(folder, { batchSize: 16, preprocessing }, 2);
  const random = await msPerBatch(folder, { batchSize: 16, preprocessing, augment: { randomResizedCrop: {}, flip: true } }, 2);
  const rate = (ms: number): string => `${((16 / ms) * 1000).toFixed(0)} images/s`;
  console.log(`JPEG of 500×375 to 224×224: ${rate(fixed)} (resize, centre crop), ${rate(random)} (random resized crop, flip)`);
  expect(fixed).toBeLessThan(10_000);
});
