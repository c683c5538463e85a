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

const original = join(sharedDir ?? '', 'data/weights/resnet20-12fca82f.th');

test.runIf(sharedDir !== undefined && existsSync(original))(
  "the author's PyTorch file takes a rename rule, which its refusal names",
  async () => {
    const args = ['--data', 'cifar10', '--data-dir', records, '--limit', '500', '--backend', 'wasm', '--json'];
    const imagenet = ['--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225'];
    const refused = await convkit(['eval', 'resnet20', '--weights', original, ...args]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/--rename '\^module\\\.=' takes off\n$/);
    const outcome = await convkit(['eval', 'resnet20', '--weights', original, '--rename', '^module\\.=', ...args, ...imagenet]);
    expect(lastJson(outcome)).toMatchObject({ images: 500, top1: 455 / 500 });
  },
);

test('a tag that is not known is refused with those that are, before any request', async () => {
  const outcome = await convkit(['eval', 'resnet18', '--weights', 'v3', '--data', 'synthetic', '--backend', 'cpu']);
  expect(outcome.stderr).toMatch(/resnet18 has no published weights "v3" \(its tags are tv_in1k, candle\)/);
  const rule = await convkit([
    'eval',
    'resnet18',
    '--weights',
    'x.pth',
    '--rename',
    'module',
    '--data',
    'synthetic',
    '--backend',
    'cpu',
  ]);
  expect(rule.stderr).toMatch(/rename rule "module" is not PATTERN=REPLACEMENT/);
});

test('models lists the tags with their published accuracy', async () => {
  const { models } = lastJson(await convkit(['models', '--json'])) as { models: { name: string; weights: unknown[] }[] };
  expect(models.find(({ name }) => name === 'resnet50')?.weights[0]).toEqual({
    tag: 'tv_in1k',
    source: 'hf:timm/resnet50.tv_in1k/model.safetensors',
    top1: 0.7613,
    top5: 0.92862,
    licence: 'BSD-3-Clause',
  });
});
