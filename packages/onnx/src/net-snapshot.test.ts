import { type Context, Conv2d, Linear, Module, Sequential, pipe, selectBackend } from '@convkit/core';
import { resnet8 } from '@convkit/resnet';
import { type Tensor, setBackend, square } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { currentBackend } from './current.js';
import { NetSnapshot } from './net-snapshot.js';
import './registered.test-util.js';

beforeAll(() => selectBackend('onnx'));
const snapshot = (net: Module<unknown>) => new NetSnapshot(currentBackend(), net);

class Net extends Module {
  body: Module = new Sequential([new Conv2d(3, 4, 3), new Conv2d(4, 4, 3)]);
  readonly head = new Linear(4, 2);
  threshold = 0.5;

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.body, this.head);
  }
}

test.each<[change: string, change: (net: Net) => void]>([
  ['a weight has another value', ({ head }) => head.weight.set(new Float32Array(8))],
  ['all weights are drawn anew', (net) => net.initialize(2)],
  ['a part is another', (net) => (net.body = new Conv2d(3, 4, 3))],
  ['a part of a part is another', ({ head }) => Object.assign(head, { weight: new Linear(4, 2).weight })],
  ['a part is gone', ({ head }) => Reflect.deleteProperty(head, 'bias')],
  ['a part came', (net) => Object.assign(net, { tail: new Linear(2, 2) })],
])('notices that %s', (_, change) => {
  const net = new Net().initialize(1);
  const before = snapshot(net);
  expect(before.isCurrent()).toBe(true);
  change(net);
  expect(before.isCurrent()).toBe(false);
});

test('notices a weight that has another value after it was on another backend', async () => {
  const net = new Net().initialize(1);
  const before = snapshot(net);
  await setBackend('cpu');
  square(net.head.weight.value).dispose();
  await setBackend('onnx');
  expect(before.isCurrent()).toBe(true);
  net.head.weight.set(new Float32Array(8));
  expect(before.isCurrent()).toBe(false);
  net.dispose();
});

test('a new head is another net', () => {
  const net = resnet8().initialize(1);
  const before = snapshot(net);
  net.replaceHead(3);
  expect(before.isCurrent()).toBe(false);
  net.dispose();
});

test('the same parts and weights are the same net, whatever other fields say', () => {
  const net = new Net().initialize(1);
  const before = snapshot(net);
  net.threshold = 0.9;
  expect(before.isCurrent()).toBe(false);
  expect(before.equals(snapshot(net))).toBe(true);
  net.dispose();
});
