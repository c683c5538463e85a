import {
  type Context,
  Conv2d,
  Linear,
  MaxPool2d,
  Module,
  globalAvgPool,
  inference,
  pipe,
  relu,
  selectBackend,
} from '@convkit/core';
import { type Tensor, backend, randomNormal } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import type { OnnxBackend } from '../backend.js';
import { CompiledModel, traceOpen } from '../compiled-model.js';
import { registerOnnx } from '../index.js';
import { biasInProduct } from './bias.js';
import { padInMaxPool } from './pool-padding.js';
import { rowsOfPixels } from './rows-of-pixels.js';
import { type Rewrite, rewrite } from './steps.js';

beforeAll(async () => {
  registerOnnx();
  await selectBackend('onnx');
});

class Net extends Module {
  readonly conv = new Conv2d(3, 8, 5, { stride: [2, 3], padding: [2, 1] });
  readonly pool = new MaxPool2d(3, { stride: 2, padding: 1 });
  readonly hidden = new Linear(8, 6);
  readonly head = new Linear(6, 4);

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv, relu, this.pool, globalAvgPool, this.hidden, relu, this.head);
  }
}

function operators(net: Net, shape: readonly (number | null)[], rewrites: (traced: ReturnType<typeof traceOpen>) => Rewrite[]) {
  const traced = traceOpen(backend() as OnnxBackend, net, (x) => net.forward(x, inference), shape);
  return rewrite(traced.open.nodes, traced.trace.program.outputs, rewrites(traced)).map(({ node }) => node.op);
}

test('a net of rewritten nodes gives what the net gives', () => {
  const net = new Net().initialize(3);
  const compiled = new CompiledModel(backend() as OnnxBackend, net, (x) => net.forward(x, inference), [null, 41, 50, 3]);
  for (const n of [1, 3]) {
    const x = randomNormal([n, 41, 50, 3], 0, 1, 'float32', 5);
    const [found, expected] = [compiled.run(x), net.forward(x, inference)];
    const values = expected.dataSync();
    found.dataSync().forEach((value, i) => expect(value).toBeCloseTo(values[i], 5));
    for (const tensor of [x, found, expected]) tensor.dispose();
  }
  compiled.dispose();
  net.dispose();
});

test('each rewrite takes its nodes away, and nothing else', () => {
  const net = new Net().initialize(3);
  const plain = operators(net, [null, 41, 50, 3], () => []);
  expect(plain).toEqual(expect.arrayContaining(['Transpose', 'Pad', 'Add']));
  const without = (...ops: string[]) => plain.filter((op) => !ops.includes(op)).sort();
  expect(operators(net, [null, 41, 50, 3], () => [padInMaxPool]).sort()).toEqual(without('Pad'));
  expect(operators(net, [null, 41, 50, 3], () => [biasInProduct]).sort()).toEqual(without('Add'));
  const rows = operators(net, [null, 41, 50, 3], ({ trace, open }) => [rowsOfPixels(trace.input, open.input)]);
  expect(rows.sort()).toEqual([...without('Transpose'), 'Reshape'].sort());
  net.dispose();
});

test('an image of open size is transposed, because its rows have no known length', () => {
  const net = new Net().initialize(3);
  const operatorsOf = (shape: (number | null)[]) =>
    operators(net, shape, ({ trace, open }) => [rowsOfPixels(trace.input, open.input)]);
  expect(operatorsOf([null, null, null, 3])).toContain('Transpose');
  expect(operatorsOf([null, 41, 50, 3])).not.toContain('Transpose');
  net.dispose();
});
