import { type Classifier, Module, inference, predict, selectBackend } from '@convkit/core';
import { resnet8 } from '@convkit/resnet';
import { type Tensor, memory, mul, randomUniform, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test, vi } from 'vitest';
import { compile, registerOnnx } from './index.js';

beforeAll(async () => {
  registerOnnx();
  await selectBackend('onnx');
});

const initialized = (): Classifier => resnet8().initialize(1);
const forward = (model: Classifier, x: Tensor): number[] => tidy(() => [...model.forward(x, inference).dataSync()]);
const images = (n: number, side = 32): Tensor => randomUniform([n, side, side, 3], 0, 1, 'float32', 7);

function expectClose(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  expected.forEach((value, i) => expect(Math.abs(found[i] - value)).toBeLessThan(1e-5 * scale));
}

test('a compiled net gives what the net gives, for any batch', () => {
  const model = initialized();
  const before = memory().numTensors;
  const fast = compile(model, [null, 32, 32, 3]);
  for (const n of [1, 2, 5]) {
    const x = images(n);
    const y = fast.run(x);
    expect(y.shape).toEqual([n, 10]);
    expectClose(y.dataSync(), forward(model, x));
    x.dispose();
    y.dispose();
  }
  expect(memory().numTensors).toBe(before);
  fast.dispose();
  model.dispose();
});

test('leaves height and width open where the net does', () => {
  const model = initialized();
  const fast = compile(model, [null, null, null, 3]);
  for (const side of [32, 48]) {
    const x = images(2, side);
    const y = fast.run(x);
    expectClose(y.dataSync(), forward(model, x));
    x.dispose();
    y.dispose();
  }
  fast.dispose();
  model.dispose();
});

test('names the shape it was compiled for when it gets another', () => {
  const model = initialized();
  const fast = compile(model, [null, 32, 32, 3]);
  const x = images(1, 16);
  expect(() => fast.run(x)).toThrow('Compiled for float32 [any, 32, 32, 3], found float32 [1, 16, 16, 3].');
  x.dispose();
  fast.dispose();
  model.dispose();
});

test('predict follows a change of weights', () => {
  const model = initialized();
  const x = images(2);
  const first = predict(model, x);
  expectClose(first.dataSync(), forward(model, x));
  model.initialize(2);
  const second = predict(model, x);
  expectClose(second.dataSync(), forward(model, x));
  expect([...second.dataSync()]).not.toEqual([...first.dataSync()]);
  for (const tensor of [x, first, second]) tensor.dispose();
  model.dispose();
});

test('a net that reads values while it is compiled is told so, and runs as it is recorded', () => {
  class Reader extends Module {
    forward(x: Tensor): Tensor {
      return mul(x, x.dataSync().length);
    }
  }
  const model = new Reader();
  expect(() => compile(model, [null, 1, 1, 3])).toThrow('cannot read values while it runs');
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const x = images(2, 1);
  const y = predict(model, x);
  expectClose(
    y.dataSync(),
    [...x.dataSync()].map((value) => 6 * value),
  );
  expect(warn.mock.calls.map(([text]) => String(text))).toEqual([expect.stringContaining('not as a compiled graph')]);
  warn.mockRestore();
  x.dispose();
  y.dispose();
});
