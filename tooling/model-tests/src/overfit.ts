import { type Classifier, selectBackend } from '@convkit/core';
import { type BatchSource, Trainer, accuracy, adam, constant } from '@convkit/core/train';
import { memory } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { goldenBackend } from './describe-model.js';
import { fillInput } from './fill.js';

/** A model that cannot learn eight images by heart does not pass gradients to all that it computes with. */
export function testOverfits(
  name: string,
  create: () => Classifier,
  { size, steps = 40 }: { size: number; steps?: number },
): void {
  test(`${name} learns eight images by heart, and leaves nothing in memory`, async () => {
    await selectBackend(goldenBackend);
    const before = memory().numTensors;
    const model = create();
    const labels = Int32Array.from({ length: 8 }, (_, i) => i % model.classes.length);
    const images = fillInput([8, 3, size, size]);
    const source: BatchSource = {
      size: 8,
      batchesPerEpoch: 1,
      classes: model.classes,
      async *epoch() {
        yield { images, shape: [8, size, size, 3], labels };
      },
    };
    const trainer = new Trainer(model, { optimizer: adam(), schedule: constant({ peak: 3e-3 }), metrics: [accuracy()] });
    const { history } = await trainer.fit(source, { epochs: steps, seed: 1 });
    model.dispose();
    expect(history.at(-1)?.train['top1']).toBe(1);
    expect(memory().numTensors, 'tensors left in memory').toBe(before);
  });
}
