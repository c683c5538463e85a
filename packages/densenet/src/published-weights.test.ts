import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inference, loadStateDict, selectBackend } from '@convkit/core';
import { loadWeights } from '@convkit/core/node';
import { goldenBackend, sharedDir } from '@convkit/model-tests';
import { tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { densenet88K12Bc } from './index.js';

interface Measured {
  measured_correct: number;
  first_10_argmax: number[];
  logits_image0: number[];
}

const file = sharedDir && join(sharedDir, 'data/weights/cifar10_densenet_bc_k12_6_12_24.safetensors');
const records = sharedDir && join(sharedDir, 'data/cifar10/cifar-10-batches-bin/test_batch.bin');
const present = file !== undefined && records !== undefined && existsSync(file) && existsSync(records);

describe.runIf(present)('the published weights of a DenseNet-BC for CIFAR-10', () => {
  const measured = present ? (JSON.parse(readFileSync(file.replace('.safetensors', '.json'), 'utf8')) as Measured) : undefined;
  const bytes = present ? readFileSync(records) : new Uint8Array();
  beforeAll(() => selectBackend(goldenBackend));

  /** Logits of images `from` … `from + count` of the test set, in its order. */
  async function logits(model: ReturnType<typeof densenet88K12Bc>, from: number, count: number): Promise<number[][]> {
    const { mean, std } = model.preprocessing;
    const images = new Float32Array(count * 3072);
    for (let i = 0; i < images.length; i++) {
      const [n, pixel, c] = [Math.floor(i / 3072), Math.floor((i % 3072) / 3), i % 3];
      images[i] = (bytes[(from + n) * 3073 + 1 + c * 1024 + pixel] / 255 - mean[c]) / std[c];
    }
    const y = tidy(() => model.forward(tensor4d(images, [count, 32, 32, 3]), inference));
    const rows = (await y.array()) as number[][];
    y.dispose();
    return rows;
  }

  const argmax = (row: number[]) => row.indexOf(Math.max(...row));

  test("load under their own names, and give PyTorch's logits and classes", async () => {
    const model = densenet88K12Bc();
    loadStateDict(model, (await loadWeights(file!)).tensors);
    const rows = await logits(model, 0, 10);
    expect(rows.map(argmax)).toEqual(measured!.first_10_argmax);
    rows[0].forEach((value, i) => expect(value).toBeCloseTo(measured!.logits_image0[i], 3));
    model.dispose();
  });

  test.runIf(process.env.CONVKIT_ALL_GOLDENS)('get as many of the 10,000 test images right as in PyTorch', async () => {
    const model = densenet88K12Bc();
    loadStateDict(model, (await loadWeights(file!)).tensors);
    let correct = 0;
    for (let from = 0; from < 10_000; from += 100) {
      const rows = await logits(model, from, 100);
      correct += rows.filter((row, i) => argmax(row) === bytes[(from + i) * 3073]).length;
    }
    console.log(`${correct} of 10,000 right`);
    expect(Math.abs(correct - measured!.measured_correct)).toBeLessThanOrEqual(2);
    model.dispose();
  });
});
