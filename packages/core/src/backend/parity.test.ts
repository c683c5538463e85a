import '../train/gradients.js';
import {
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  add as addBroadcast,
  env,
  grads,
  matMul,
  memory,
  tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import * as f from '../functional.js';
import { batchNormInference, batchNormTraining } from '../ops/batch-norm.js';
import { convTranspose2d } from '../ops/conv-transpose2d.js';
import { type ConvOptions, conv2d } from '../ops/conv2d.js';
import { type AvgPoolOptions, adaptiveAvgPool, avgPool, maxPool } from '../ops/pool.js';
import { Random } from '../random.js';
import { bceWithLogits, crossEntropy } from '../train/losses.js';
import { testBackends, useBackend } from './test-backends.test-util.js';

/** An op with the shapes of its inputs; they are large enough that WebGPU does not hand them to the CPU. */
type Case = [name: string, shapes: number[][], op: (...inputs: Tensor[]) => Tensor];

const conv = (options: Partial<ConvOptions>) => (x: Tensor, filter: Tensor) =>
  conv2d(x as Tensor4D, filter as Tensor4D, { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1, ...options });
const pool: AvgPoolOptions = {
  ...{ kernel: [3, 3], stride: [2, 2], padding: [1, 1] },
  ...{ ceilMode: false, countIncludePad: true },
};
const image = [2, 13, 12, 8];

const cases: Case[] = [
  ['conv 3×3', [image, [3, 3, 8, 12]], conv({})],
  ['conv 1×1', [image, [1, 1, 8, 16]], conv({ padding: [0, 0] })],
  ['conv 1×1, stride 2', [image, [1, 1, 8, 16]], conv({ padding: [0, 0], stride: [2, 2] })],
  ['conv 3×3, stride 2', [image, [3, 3, 8, 12]], conv({ stride: [2, 2] })],
  [
    'conv 7×7, stride 2, three channels',
    [
      [2, 17, 16, 3],
      [7, 7, 3, 16],
    ],
    conv({ stride: [2, 2], padding: [3, 3] }),
  ],
  ['conv 3×3, stride 2, TensorFlow padding', [image, [3, 3, 8, 12]], conv({ stride: [2, 2], padding: 'same' })],
  ['conv 1×7', [image, [1, 7, 8, 12]], conv({ padding: [0, 3] })],
  ['conv 3×3, dilation 2', [image, [3, 3, 8, 12]], conv({ padding: [2, 2], dilation: [2, 2] })],
  ['conv 3×3, four groups', [image, [3, 3, 2, 16]], conv({ groups: 4 })],
  ['depthwise 3×3', [image, [3, 3, 1, 8]], conv({ groups: 8 })],
  ['depthwise 5×5, stride 2', [image, [5, 5, 1, 8]], conv({ groups: 8, stride: [2, 2], padding: [2, 2] })],
  ['depthwise 3×3, multiplier 2', [image, [3, 3, 1, 16]], conv({ groups: 8 })],
  ['depthwise 3×3, dilation 2', [image, [3, 3, 1, 8]], conv({ groups: 8, padding: [2, 2], dilation: [2, 2] })],
  [
    'conv 3×3, many channels',
    [
      [1, 8, 8, 64],
      [3, 3, 64, 96],
    ],
    conv({}),
  ],
  [
    'conv 3×3, many pixels',
    [
      [4, 32, 32, 4],
      [3, 3, 4, 8],
    ],
    conv({}),
  ],
  ['max pool', [image], (x) => maxPool(x as Tensor4D, pool)],
  ['max pool 2×2', [image], (x) => maxPool(x as Tensor4D, { ...pool, kernel: [2, 2], padding: [0, 0] })],
  ['max pool, ceil mode', [image], (x) => maxPool(x as Tensor4D, { ...pool, padding: [0, 0], ceilMode: true })],
  ['avg pool', [image], (x) => avgPool(x as Tensor4D, pool)],
  ['avg pool without padding in the divisor', [image], (x) => avgPool(x as Tensor4D, { ...pool, countIncludePad: false })],
  ['adaptive avg pool', [image], (x) => adaptiveAvgPool(x as Tensor4D, [5, 7])],
  ['global avg pool', [image], f.globalAvgPool],
  ['batch norm, training', [image, [8], [8]], (x, scale, offset) => batchNormTraining(x, scale, offset, 1e-5, () => undefined)],
  [
    'batch norm, inference',
    [image, [8], [8], [8], [8]],
    (x, mean, variance, scale, offset) => batchNormInference(x, mean, f.mul(variance, variance), scale, offset, 1e-3),
  ],
  [
    'matMul',
    [
      [24, 60],
      [60, 50],
    ],
    (a, b) => matMul(a as Tensor2D, b as Tensor2D),
  ],
  [
    'matMul with a transposed weight and a bias',
    [[24, 60], [50, 60], [50]],
    (a, b, c) => addBroadcast(matMul(a, b, false, true), c),
  ],
  [
    'matMul of one row',
    [
      [1, 512],
      [512, 300],
    ],
    (a, b) => matMul(a as Tensor2D, b as Tensor2D),
  ],
  ['residual', [image, image], f.add],
  ['gate', [image, [2, 1, 1, 8]], f.mul],
  ['concat', [image, [2, 13, 12, 5]], (a, b) => f.concat([a, b])],
  ['flatten', [image], f.flatten],
  ['subsample', [image], (x) => f.subsample(x, 2)],
  ['upsample', [image], (x) => f.upsample(x, 2)],
  ['upsample by three', [image], (x) => f.upsample(x, 3)],
  ['sliceChannels', [image], (x) => f.sliceChannels(x, 3, 4)],
  ['reshape', [image], (x) => f.reshape(x, [2, -1, 4])],
  [
    'scale and offset of places',
    [image],
    (x) =>
      f.affine(
        x,
        new Float32Array(96).fill(2),
        Float32Array.from({ length: 96 }, (_, i) => i),
        [1, 1, 12, 8],
      ),
  ],
  [
    'transposed conv 2×2, stride 2',
    [image, [2, 2, 12, 8]],
    (x, filter) => convTranspose2d(x as Tensor4D, filter as Tensor4D, { stride: [2, 2], padding: [0, 0] }),
  ],
  [
    'transposed conv 3×3, stride 2, with a bias',
    [image, [3, 3, 12, 8], [12]],
    (x, filter, bias) => convTranspose2d(x as Tensor4D, filter as Tensor4D, { stride: [2, 2], padding: [1, 1] }, bias),
  ],
  ['padChannels', [image], (x) => f.padChannels(x, 3, 2)],
  ['softmax', [[40, 30]], f.softmax],
  ['logSoftmax', [[40, 30]], f.logSoftmax],
  ...(['relu', 'relu6', 'silu', 'hardSwish', 'hardSigmoid', 'sigmoid', 'mish', 'gelu', 'tanh'] as const).map(
    (activation): Case => [activation, [image], (x) => f[activation](f.mul(x, tensor(3)))],
  ),
  ['leakyRelu', [image], (x) => f.leakyRelu(x, 0.1)],
  [
    'crossEntropy',
    [[40, 30]],
    (x) =>
      crossEntropy({ labelSmoothing: 0.1 })(
        x,
        Int32Array.from({ length: 40 }, (_, i) => i % 30),
      ),
  ],
  [
    'bceWithLogits',
    [[40, 30]],
    (x) =>
      bceWithLogits()(
        x,
        Float32Array.from({ length: 1200 }, (_, i) => i % 2),
      ),
  ],
];

async function run([name, shapes, op]: Case): Promise<Float32Array[]> {
  const random = new Random(1).child(name);
  const results = tidy(() => {
    const draw = (shape: number[]) =>
      tensor(
        Float32Array.from({ length: size(shape) }, () => random.normal()),
        shape,
      );
    const inputs = shapes.map(draw);
    const y = op(...inputs);
    const dy = draw(y.shape);
    return [y, ...grads((...xs: Tensor[]) => op(...xs))(inputs, dy)];
  });
  const values = await Promise.all(results.map((result) => result.data<'float32'>()));
  for (const result of results) result.dispose();
  return values;
}

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  const scale = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  if (a.some(Number.isNaN)) return NaN;
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]) / scale), 0);
}

for (const backend of testBackends.filter((name) => name !== 'cpu')) {
  test.each(cases)(`${backend} agrees with cpu in value and gradients: %s`, async (...op) => {
    await useBackend('cpu');
    const expected = await run(op);
    await useBackend(backend);
    if (backend === 'webgpu') env().set('WEBGPU_CPU_FORWARD', false);
    const before = memory().numTensors;
    const found = await run(op);
    expect(found.length).toBe(expected.length);
    found.forEach((values, i) => expect(largestDifference(values, expected[i]), `result ${i}`).toBeLessThan(1e-4));
    expect(memory().numTensors).toBe(before);
  });
}
