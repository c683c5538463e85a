import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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

const keras = join(sharedDir ?? '', 'data/weights/imagenet_mobilenet_v3_small_keras_dequant.safetensors');
const photos = join(sharedDir ?? '', 'data/imagenet');

test.runIf(sharedDir !== undefined && existsSync(keras))('weights of Keras take the padding of TensorFlow', async () => {
  const labels = JSON.parse(readFileSync(join(photos, 'labels.json'), 'utf8')) as Record<string, number>;
  const right = async (padding: string): Promise<number> => {
    const colours = ['--mean', '0.5,0.5,0.5', '--std', '0.5,0.5,0.5'];
    const args = ['--weights', keras, '--padding', padding, ...colours, '--topk', '1', '--backend', 'wasm', '--json'];
    const { images } = lastJson(await convkit(['classify', 'mobilenet_v3_small', photos, ...args])) as {
      images: { path: string; predictions: { index: number }[] }[];
    };
    return images.filter(({ path, predictions }) => labels[basename(path)] === predictions[0].index).length;
  };
  expect(await right('same')).toBe(44);
  expect(await right('symmetric')).toBe(30);
});

test('what is trained with a padding says so; a net without a choice refuses it', async () => {
  const out = await mkdtemp(join(tmpdir(), 'convkit-padding-'));
  const data = ['--data', 'synthetic', '--backend', 'wasm', '--limit', '16'];
  await convkit(['train', 'mobilenet_v2_035', ...data, '--padding', 'same', '--epochs', '1', '--batch-size', '8', '--out', out]);
  const outcome = await convkit(['eval', 'mobilenet_v2_035', '--weights', join(out, 'model.safetensors'), ...data]);
  expect(outcome.stdout).toMatch(/^padding +same$/m);
  const refused = await convkit(['train', 'resnet8', ...data, '--padding', 'same', '--out', join(out, 'other')]);
  expect(refused.stderr).toMatch(/resnet8 has no choice of padding: leave out --padding/);
  await rm(out, { recursive: true });
});

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
