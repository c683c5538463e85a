import { memory, ones, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { backends, useBackend } from '../ops/gradient-check.test-util.js';
import { inference } from '../module.js';
import { InvertedResidual } from './inverted-residual.js';

beforeAll(() => useBackend(backends[0]));

const names = (block: InvertedResidual) =>
  [...block.parameters()].map(([name]) => name).filter((name) => !name.endsWith('.bias'));

test('without expansion the block starts with the depthwise convolution', () => {
  expect(names(new InvertedResidual(8, 16, { expanded: 8, kernel: 3 }))).toEqual([
    ...['block.0.0.weight', 'block.0.1.weight', 'block.1.0.weight', 'block.1.1.weight'],
  ]);
  expect(names(new InvertedResidual(8, 16, { expanded: 32, kernel: 3, squeeze: { channels: 2 } }))).toEqual([
    ...['block.0.0.weight', 'block.0.1.weight', 'block.1.0.weight', 'block.1.1.weight'],
    ...['block.2.fc1.weight', 'block.2.fc2.weight', 'block.3.0.weight', 'block.3.1.weight'],
  ]);
});

test('the shortcut is there exactly where the shape stays', async () => {
  for (const { cout, stride, shortcut } of [
    { cout: 8, stride: 1, shortcut: 1 },
    { cout: 8, stride: 2, shortcut: 0 },
    { cout: 16, stride: 1, shortcut: 0 },
  ]) {
    const block = new InvertedResidual(8, cout, { expanded: 16, kernel: 5, stride }).initialize(1);
    new Map(block.parameters()).get('block.2.1.weight')!.set(new Float32Array(cout)); // a branch that gives zeros
    const before = memory().numTensors;
    const y = tidy(() => block.forward(ones([1, 7, 7, 8]), inference));
    expect(y.shape).toEqual([1, stride === 2 ? 4 : 7, stride === 2 ? 4 : 7, cout]);
    expect(new Set(await y.data())).toEqual(new Set([shortcut]));
    y.dispose();
    expect(memory().numTensors).toBe(before);
    block.dispose();
  }
});

test('dropPath drops the branch of whole images while training, and never the shortcut', async () => {
  const block = new InvertedResidual(8, 8, { expanded: 16, kernel: 3, dropPath: 0.5 }).initialize(1);
  new Map(block.parameters()).get('block.2.1.bias')!.set(new Float32Array(8).fill(1)); // branches that give ones …
  new Map(block.parameters()).get('block.2.1.weight')!.set(new Float32Array(8));
  const random = { uniform: () => random.values.shift()!, values: [0.1, 0.9] }; // … of which the first is dropped
  const y = tidy(() => block.forward(ones([2, 4, 4, 8]), { training: true, random: random as never }));
  const values = await y.data();
  expect(new Set(values.subarray(0, 128))).toEqual(new Set([1]));
  expect(new Set(values.subarray(128))).toEqual(new Set([3])); // 1 + 1 / (1 − 0.5)
  block.dispose();
});
