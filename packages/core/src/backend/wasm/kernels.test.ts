import {
  type Rank,
  type Tensor,
  type Tensor4D,
  backend,
  clone,
  concat,
  conv2d,
  depthwiseConv2d,
  engine,
  grads,
  matMul,
  mean,
  memory,
  mul,
  setBackend,
  slice,
  split,
  sum,
  tensor,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { expectClose, randomTensor, useBackend } from '../../ops/gradient-check.test-util.js';
import { ResNet20, Steps, noise } from './step.test-util.js';

type Values = number[][];

/** The result of `work` on a backend, from the same values on both. */
async function on(
  backend: 'cpu' | 'wasm',
  inputs: readonly [shape: number[], values: Float32Array][],
  work: Work,
): Promise<Values> {
  await useBackend(backend);
  return tidy(() => work(inputs.map(([shape, values]) => tensor(values, shape))).map((t) => Array.from(t.dataSync())));
}
type Work = (inputs: Tensor[]) => Tensor[];

async function compare(shapes: readonly number[][], work: Work): Promise<void> {
  await useBackend('cpu');
  const inputs = tidy(() =>
    shapes.map((shape): [number[], Float32Array] => [shape, randomTensor(shape).dataSync().slice() as Float32Array]),
  );
  const [expected, actual] = [await on('cpu', inputs, work), await on('wasm', inputs, work)];
  expect(actual.length).toBe(expected.length);
  actual.forEach((values, i) => tidy(() => expectClose(tensor(values), expected[i], 1e-4)));
}

/** The gradients, under fixed weights. */
const gradientsOf =
  (f: (a: Tensor, b: Tensor) => Tensor): Work =>
  ([a, b, weights]) =>
    grads((x, y) => sum(mul(f(x, y), weights)))([a, b]);

test("tfjs' own conv2d can be trained, with every kind of padding", async () => {
  const shapes = [
    [2, 7, 6, 3],
    [3, 3, 3, 5],
  ];
  const of = (stride: number, pad: 'same' | 'valid' | number) =>
    gradientsOf((x, f) => conv2d(x as Tensor4D, f as Tensor4D, stride, pad));
  await compare([...shapes, [2, 7, 6, 5]], of(1, 'same'));
  await compare([...shapes, [2, 4, 3, 5]], of(2, 'same'));
  await compare([...shapes, [2, 3, 2, 5]], of(2, 'valid'));
  await compare([...shapes, [2, 4, 3, 5]], of(2, 1));
});

test("tfjs' own depthwiseConv2d can be trained", async () => {
  const of = (stride: number) => gradientsOf((x, f) => depthwiseConv2d(x as Tensor4D, f as Tensor4D, stride, 'same'));
  await compare(
    [
      [2, 7, 6, 5],
      [3, 3, 5, 1],
      [2, 7, 6, 5],
    ],
    of(1),
  );
  await compare(
    [
      [2, 7, 6, 5],
      [3, 3, 5, 2],
      [2, 4, 3, 10],
    ],
    of(2),
  );
});

test('slices, splits and joins give what tfjs gives', async () => {
  await compare([[2, 5, 4, 9]], ([x]) => [slice(x, [1, 1, 0, 2], [1, 3, -1, 5]), slice(x, [0, 2, 0, 0], [2, 2, 4, 9])]);
  await compare(
    [
      [2, 5, 4, 9],
      [2, 3],
    ],
    ([x, y]) => [...split(x, [2, 6, 1], 3), ...split(x, 2, 2), ...split(y, 3, 1)],
  );
  await compare(
    [
      [2, 3, 2, 5],
      [2, 3, 2, 7],
    ],
    ([x, y]) => [concat([x, y, x], 3), concat([x, x], 1)],
  );
});

test('products of transposed and of batched matrices give what tfjs gives', async () => {
  const transposed: Work = ([a, b]) => [matMul(a, b, true, false), matMul(b, a, true, false)];
  await compare(
    [
      [13, 5],
      [13, 9],
    ],
    transposed,
  );
  await compare(
    [
      [5, 13],
      [9, 13],
    ],
    ([a, b]) => [matMul(a, b, false, true)],
  );
  await compare(
    [
      [13, 5],
      [9, 13],
    ],
    ([a, b]) => [matMul(a, b, true, true)],
  );
  await compare(
    [
      [3, 5, 7],
      [3, 7, 4],
    ],
    ([a, b]) => [matMul(a, b)],
  );
  await compare(
    [
      [3, 5, 7],
      [1, 7, 4],
    ],
    ([a, b]) => [matMul(a, b)],
  );
  await compare(
    [
      [700, 3],
      [700, 2],
    ],
    transposed,
  );
});

test('sums and means over outer and inner axes give what tfjs gives', async () => {
  const axes = [[0], [0, 1], [0, 1, 2], [1, 2], [2, 1], [1], [3], [0, 2], [0, 1, 2, 3]];
  for (const keepDims of [false, true]) {
    await compare([[3, 5, 4, 6]], ([x]) => axes.flatMap((axis) => [sum(x, axis, keepDims), mean(x, axis, keepDims)]));
  }
});

test('a clone shares the memory of its tensor, and outlives it', async () => {
  await useBackend('wasm');
  const x = tensor([1, 2, 3]);
  const copy = clone(x);
  x.dispose();
  expect(Array.from(copy.dataSync())).toEqual([1, 2, 3]);
  copy.dispose();
});

test('a training step gives the losses of the cpu backend', async () => {
  const losses: number[][] = [];
  for (const backend of ['cpu', 'wasm'] as const) {
    await useBackend(backend);
    const steps = new Steps(new ResNet20(4).initialize(0), noise(4, 8));
    losses.push([1, 2, 3].map(() => steps.step()));
    steps.dispose();
  }
  losses[1].forEach((loss, i) => expect(loss).toBeCloseTo(losses[0][i], 3));
});

test('400 steps leave no tensor, and the memory does not grow', async () => {
  await useBackend('wasm');
  const steps = new Steps(new ResNet20(4).initialize(0), noise(4, 8), 0.01);
  const state = () => ({
    tensors: memory().numTensors,
    buffers: engine().backend.numDataIds(),
    bytes: (engine().backend as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.byteLength,
  });
  for (let i = 0; i < 5; i++) steps.step();
  const before = state();
  for (let i = 0; i < 400; i++) steps.step();
  expect(state()).toEqual(before);
  steps.dispose();
  await setBackend('cpu');
});

test('the filter of a 1×1 convolution is held twice, not three times, and not at all when it is disposed', async () => {
  await useBackend('wasm');
  const bytes = () => (backend() as unknown as { wasm: { HEAPU8: Uint8Array } }).wasm.HEAPU8.length;
  const [count, side] = [32, 1024];
  const x = zeros<Rank.R4>([1, 4, 4, side]);
  for (let round = 0; round < 3; round++) {
    const filters = Array.from({ length: count }, () => zeros<Rank.R4>([1, 1, side, side]));
    for (const filter of filters) conv2d(x, filter, 1, 'valid').dispose();
    for (const filter of filters) filter.dispose();
  }
  x.dispose();
  expect(bytes() / (count * side * side * 4)).toBeLessThan(2.6); // the heap grows by a fifth at a time
});
