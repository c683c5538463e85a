import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadWeights, writeImage } from '@convkit/core/node';
import { syntheticShapes } from '@convkit/datasets';
import { afterAll, expect, test } from 'vitest';
import { convkit, lastJson, temporaryFolder } from './spawn.test-util.js';

const { path: dir, remove } = temporaryFolder();
afterAll(remove);

const at = (...names: string[]): string => join(dir, ...names);
const training = ['--data', 'synthetic', '--limit', '32', '--batch-size', '16', '--epochs', '1', '--backend', 'wasm'];

test('compare without weights says what models cost, and draws it', async () => {
  const outcome = await convkit([
    'compare',
    'resnet8',
    'resnet20',
    '--runs',
    '1',
    '--backend',
    'wasm',
    '--out',
    at('a'),
    '--json',
  ]);
  expect(outcome.stderr).not.toMatch(/error/);
  const { models } = lastJson(outcome) as { models: Record<string, unknown>[] };
  expect(models).toMatchObject([
    { model: 'resnet8', parameters: 75_290, input: [32, 32] },
    { model: 'resnet20', parameters: 269_722, macs: 40_551_040, weightBytes: 4 * 269_722 },
  ]);
  for (const { top1, latencyMs, peakBytes } of models) {
    expect(top1).toBeUndefined();
    expect(latencyMs).toMatchObject({ batch1: expect.any(Number) as number, batch32: expect.any(Number) as number });
    expect(peakBytes).toBeGreaterThan(32 * 32 * 16 * 4); // one map of the first stage
  }
  expect(readFileSync(at('a', 'compare.svg'), 'utf8')).toMatch(/^<svg[^]*resnet20/);
});

test('compare with weights gives the accuracy that eval gives; frozen layers keep the weights they started from', async () => {
  expect((await convkit(['train', 'resnet8', ...training, '--out', at('base')])).code).toBe(0);
  const weights = at('base', 'model.safetensors');
  const data = ['--data', 'synthetic', '--limit', '100', '--backend', 'wasm', '--json'];
  const compared = lastJson(await convkit(['compare', 'resnet8', '--weights', weights, '--runs', '1', ...data]));
  const judged = lastJson(await convkit(['eval', 'resnet8', '--weights', weights, ...data]));
  expect(compared.models).toMatchObject([{ top1: judged.top1, top5: judged.top5 }]);

  const shapes = syntheticShapes({ size: 10 });
  for (const name of ['left', 'right']) mkdirSync(at('pictures', name), { recursive: true });
  for (let i = 0; i < 10; i++) await writeImage(at('pictures', i % 2 ? 'left' : 'right', `${i}.png`), shapes.image(i));
  const tuning = ['train', 'resnet8', '--weights', weights, '--data', at('pictures'), '--epochs', '1', '--backend', 'wasm'];
  const tuned = await convkit([...tuning, '--freeze', 'backbone', '--out', at('tuned')]);
  expect(tuned.stdout).toMatch(/frozen +backbone: 130 parameters are left to train/);
  const [before, after] = [await loadWeights(weights), await loadWeights(at('tuned', 'model.safetensors'))];
  const changed = [...after.tensors].filter(([name, { data: now }]) => String(before.tensors.get(name)?.data) !== String(now));
  expect(changed.map(([name]) => name)).toEqual(['linear.weight', 'linear.bias']);
});

test('wrong uses are one line and exit code 2', async () => {
  for (const [args, message] of [
    [['compare', 'resnet8', 'resnet20', '--weights', 'a', '--data', 'synthetic'], /one file for each model: 2 models, 1 files/],
    [['compare', 'resnet8', '--weights', 'a'], /--weights needs --data/],
    [['compare', 'resnet8', '--data', 'synthetic'], /--data needs --weights/],
    [['compare', 'resnet9'], /unknown model 'resnet9'/],
    [['train', 'resnet8', '--data', 'synthetic', '--freeze', '('], /'backbone' or a regular expression/],
  ] as const) {
    const { code, stderr } = await convkit([...args, '--out', at('nothing')]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  }
  expect(existsSync(at('nothing'))).toBe(false);
});
