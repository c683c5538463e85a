import type { Module } from '@convkit/core';
import { Conv2d, Linear, MaxPool2d, Sequential, inference, selectBackend } from '@convkit/core';
import { type Tensor, add, matMul, randomUniform, slice } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { CompiledModel, type InputShape, traceOpen } from '../compiled-model.js';
import { currentBackend } from '../current.js';
import { registerOnnx } from '../index.js';
import { biasInProduct } from './bias.js';
import { padInMaxPool } from './pool-padding.js';
import { rowsOfPixels } from './rows-of-pixels.js';
import { rewrite } from './steps.js';

beforeAll(async () => {
  registerOnnx();
  await selectBackend('onnx');
});

type Compute = (x: Tensor) => Tensor;

/** A net's nodes, rewritten. */
function opsOf(net: Module, compute: Compute, shape: InputShape): string[] {
  const { trace, open } = traceOpen(currentBackend(), net, compute, shape);
  const rewrites = [biasInProduct, padInMaxPool, rowsOfPixels(trace.input, open.input)];
  return rewrite(open.nodes, trace.program.outputs, rewrites).map(({ node }) => node.op);
}

/** That the compiled net gives what the net gives. */
function expectSame(net: Module, compute: Compute, shape: InputShape): void {
  const compiled = new CompiledModel(currentBackend(), net, compute, shape);
  const x = randomUniform(
    shape.map((n) => n ?? 3),
    -1,
    1,
    'float32',
    1,
  );
  const [found, expected] = [compiled.run(x), compute(x)];
  expect(found.shape).toEqual(expected.shape);
  const values = expected.dataSync();
  found.dataSync().forEach((value, i) => expect(value).toBeCloseTo(values[i], 5));
  for (const tensor of [x, found, expected]) tensor.dispose();
  compiled.dispose();
}

const forward =
  (net: Module): Compute =>
  (x) =>
    net.forward(x, inference);

describe('a bias after a product', () => {
  test('becomes part of it, on either side of the sum', () => {
    const net = new Linear(4, 3).initialize(1);
    const turned: Compute = (x) => add(net.bias!.value, matMul(x, net.weight.value));
    for (const compute of [forward(net), turned]) {
      expect(opsOf(net, compute, [null, 4])).toEqual(['Gemm']);
      expectSame(net, compute, [null, 4]);
    }
    net.dispose();
  });

  test.each<[reason: string, compute: (net: Linear) => Compute]>([
    [
      'the product is read by itself too',
      ({ weight, bias }) =>
        (x) => {
          const y = matMul(x, weight.value);
          return matMul(add(y, bias!.value), y, true);
        },
    ],
    [
      'it makes columns of one',
      ({ weight, bias }) =>
        (x) =>
          add(matMul(x, slice(weight.value, [0, 0], [4, 1])), bias!.value),
    ],
  ])('stays where %s', (_, compute) => {
    const net = new Linear(4, 3).initialize(1);
    expect(opsOf(net, compute(net), [null, 4])).toContain('Add');
    expectSame(net, compute(net), [null, 4]);
    net.dispose();
  });
});

test.each<[name: string, pool: MaxPool2d, side: number]>([
  ['on both sides', new MaxPool2d(3, { stride: 2, padding: 1 }), 8],
  ['at stride 1', new MaxPool2d(5, { stride: 1, padding: 2 }), 8],
  ['on one side, of a last window rounded up', new MaxPool2d(3, { stride: 2, padding: [[0, 1], 1], ceilMode: true }), 9],
])('a largest value in windows pads by itself: %s', (_, pool, side) => {
  const net = new Sequential([new Conv2d(3, 4, 1), pool]).initialize(1);
  const shape = [null, side, side, 3];
  expect(opsOf(net, forward(net), shape)).toEqual(['Reshape', 'Conv', 'MaxPool']);
  expectSame(net, forward(net), shape);
  net.dispose();
});

describe('a first convolution', () => {
  const first = new Conv2d(3, 8, [5, 3], { stride: [2, 3], padding: [2, 1], dilation: [2, 1] });

  test('goes over rows of pixels, and the images are not transposed', () => {
    const net = new Sequential([first]).initialize(1);
    expect(opsOf(net, forward(net), [null, 16, 12, 3])).toEqual(['Reshape', 'Conv']);
    expectSame(net, forward(net), [null, 16, 12, 3]);
    net.dispose();
  });

  test.each<[reason: string, net: Conv2d, shape: InputShape]>([
    ['height and width are open', first, [null, null, null, 3]],
    ['there are many channels', new Conv2d(5, 4, 3), [null, 8, 8, 5]],
    ['it skips pixels of a row', new Conv2d(3, 4, 3, { dilation: 2 }), [null, 8, 8, 3]],
    ['groups of channels do not see each other', new Conv2d(3, 3, 3, { groups: 3 }), [null, 8, 8, 3]],
  ])('does not where %s', (_, net, shape) => {
    net.initialize(1);
    expect(opsOf(net, forward(net), shape)).toEqual(['Transpose', 'Conv']);
    net.dispose();
  });
});
