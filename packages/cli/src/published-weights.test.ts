import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sharedDir } from '@convkit/model-tests';
import { expect, test } from 'vitest';
import { convkit, lastJson } from './spawn.test-util.js';

const weights = join(sharedDir ?? '', 'data/weights/cifar10_resnet20_akamaster.safetensors');
const records = join(sharedDir ?? '', 'data/cifar10');

test.runIf(sharedDir !== undefined && existsSync(weights))("published weights have PyTorch's accuracy on CIFAR-10", async () => {
  const args = ['--weights', weights, '--data', 'cifar10', '--data-dir', records, '--backend', 'wasm', '--json'];
  const outcome = await convkit(['eval', 'resnet20', ...args]);
  expect(outcome.stderr).not.toMatch(/error/);
  const { images, top1, loss, normalisation } = lastJson(outcome) as Record<'images' | 'top1' | 'loss', number> & {
    normalisation: { source: string };
  };
  expect(images).toBe(10_000);
  // PyTorch has 9,173 of the same images right, with a mean loss of 0.37266.
  expect(Math.abs(top1 * images - 9173)).toBeLessThanOrEqual(2);
  expect(loss).toBeCloseTo(0.37266, 4);
  expect(normalisation.source).toBe('the .json beside the weights');
});
