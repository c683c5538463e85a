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

test('export writes the file, says how far it strays, and what that costs in accuracy', async () => {
  const args = ['--weights', at('w.safetensors'), '--store', 'int8', '--out', at('net.onnx')];
  const outcome = await convkit(['export', 'resnet8', ...args, '--data', 'synthetic', '--limit', '40', '--json']);
  const { bytes, difference, accuracies } = lastJson(outcome) as {
    bytes: number;
    difference: { logits: number };
    accuracies: { images: number; net: number; file: number };
  };
  expect((await stat(at('net.onnx'))).size).toBe(bytes);
  expect(difference.logits).toBeGreaterThan(0);
  expect(difference.logits).toBeLessThan(0.1);
  expect(accuracies.images).toBe(40);
  expect(Math.abs(accuracies.net - accuracies.file)).toBeLessThanOrEqual(0.2);
});

test('export measures no accuracy of a detector', async () => {
  const args = ['--weights', at('w.safetensors'), '--out', at('none.onnx'), '--data', 'cifar10'];
  const detector = await convkit(['export', 'yolov8n', ...args]);
  expect(detector.stderr).toMatch(/yolov8n finds objects/);
});
