import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectBackend } from '@convkit/core';
import { saveWeights } from '@convkit/core/node';
import { syntheticShapes } from '@convkit/datasets';
import { resnet8 } from '@convkit/resnet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { convkit, lastJson } from './spawn.test-util.js';

let folder: string;
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convkit-export-'));
  await selectBackend('cpu');
  const model = resnet8({ numClasses: 10, classes: syntheticShapes({ size: 1 }).classes }).initialize(1);
  await saveWeights(at('w.safetensors'), model);
  model.dispose();
});

afterAll(() => rm(folder, { recursive: true }));

interface Exported {
  bytes: number;
  difference: { logits: number };
  accuracies: { images: number; net: number; file: number };
}

async function exported(store: string): Promise<Exported> {
  const out = at(`${store}.onnx`);
  const args = [
    '--weights',
    at('w.safetensors'),
    '--store',
    store,
    '--out',
    out,
    '--data',
    'synthetic',
    '--limit',
    '40',
    '--json',
  ];
  const result = lastJson(await convkit(['export', 'resnet8', ...args])) as unknown as Exported;
  expect((await stat(out)).size).toBe(result.bytes);
  return result;
}

test('export writes the file, says how far it strays, and what that costs in accuracy', async () => {
  const [plain, small] = [await exported('float32'), await exported('int8')];
  expect(plain.difference.logits).toBeLessThan(1e-5);
  expect(plain.accuracies).toEqual({ images: 40, net: small.accuracies.net, file: plain.accuracies.net });
  expect(plain.accuracies.net).toBeGreaterThan(0);
  expect(small.bytes).toBeLessThan(plain.bytes / 2);
  expect(small.difference.logits).toBeGreaterThan(plain.difference.logits);
  expect(small.difference.logits).toBeLessThan(0.1);
  expect(Math.abs(small.accuracies.net - small.accuracies.file)).toBeLessThanOrEqual(0.2);
});

test('export measures no accuracy of a detector', async () => {
  const args = ['--weights', at('w.safetensors'), '--out', at('none.onnx'), '--data', 'cifar10'];
  const detector = await convkit(['export', 'yolov8n', ...args]);
  expect(detector.stderr).toMatch(/--data measures top-1, which yolov8n as a detector has not/);
});
