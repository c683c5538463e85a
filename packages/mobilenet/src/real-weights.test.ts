// Published TensorFlow weights on photos of ImageNet, where both lie beside the checkout.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Classifier, type Image, type Preprocessing, loadStateDict, selectBackend } from '@convkit/core';
import { loadWeights, readImage } from '@convkit/core/node';
import { goldenBackend, sharedDir } from '@convkit/model-tests';
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { mobilenetV1_025, mobilenetV3Small, renameKerasV1 } from './index.js';

const at = (path: string) => join(sharedDir ?? '', 'data', path);
const [photos, v1Weights, v3Weights] = [
  at('imagenet'),
  at('weights/imagenet_mobilenet_v1_0.25_224_keras.safetensors'),
  at('weights/imagenet_mobilenet_v3_small_keras_dequant.safetensors'),
];
const present = sharedDir !== undefined && [photos, v1Weights, v3Weights].every((path) => existsSync(path));

/** Keras maps pixels to −1 … 1. */
const preprocessing: Preprocessing = {
  size: 224,
  resize: 256,
  interpolation: 'bilinear',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

describe.runIf(present)('weights of Keras on fifty photos of ImageNet', () => {
  const images: Image[] = [];
  const labels: number[] = [];

  beforeAll(async () => {
    await selectBackend(goldenBackend);
    const listed = JSON.parse(readFileSync(join(photos, 'labels.json'), 'utf8')) as Record<string, number>;
    for (const [file, label] of Object.entries(listed)) {
      images.push(await readImage(join(photos, file)));
      labels.push(label);
    }
  });

  /** How many photos have their label as the best guess, and among the best five. */
  async function right(model: Classifier): Promise<{ top1: number; top5: number }> {
    const scores = { top1: 0, top5: 0 };
    for (let i = 0; i < images.length; i += 10) {
      const guesses = await model.classifyAll(images.slice(i, i + 10), { topk: 5 });
      guesses.forEach((best, k) => {
        const rank = best.findIndex(({ index }) => index === labels[i + k]);
        if (rank === 0) scores.top1++;
        if (rank >= 0) scores.top5++;
      });
    }
    if (process.env.CONVKIT_VERBOSE) console.log(scores);
    return scores;
  }

  async function loaded<M extends Classifier>(model: M, file: string, rename?: (name: string) => string): Promise<M> {
    loadStateDict(model, (await loadWeights(file)).tensors, { rename });
    return model;
  }

  test('MobileNet v1 0.25, loaded under the names of Keras, names most of them', async () => {
    const before = memory().numTensors;
    const model = await loaded(mobilenetV1_025(), v1Weights, renameKerasV1);
    const { top1, top5 } = await right(model);
    model.dispose();
    expect(images.length).toBe(50);
    expect(Math.abs(top1 - 32)).toBeLessThanOrEqual(1);
    expect(Math.abs(top5 - 42)).toBeLessThanOrEqual(1);
    expect(memory().numTensors).toBe(before);
  });

  test('MobileNet v3 small names most of them with the padding of TensorFlow, far fewer with symmetric padding', async () => {
    const same = await loaded(mobilenetV3Small({ padding: 'same', preprocessing }), v3Weights);
    const symmetric = await loaded(mobilenetV3Small({ preprocessing }), v3Weights);
    const [asTrained, shifted] = [await right(same), await right(symmetric)];
    same.dispose();
    symmetric.dispose();
    expect(asTrained.top1).toBeGreaterThanOrEqual(43); // 44
    expect(asTrained.top5).toBeGreaterThanOrEqual(49); // 50
    expect(shifted.top1).toBeLessThanOrEqual(asTrained.top1 - 10); // 30
  });
});
