import '@tensorflow/tfjs-backend-cpu';
import { type Scalar, type Tensor, customGrad, memory, mul, ones, relu, setBackend, square, sum } from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Module, type Context } from '../module.js';
import { Random } from '../random.js';
import { Dense, TinyNet } from './__fixtures__/tiny.js';
import { gradientStep } from './gradient-step.js';
import { crossEntropy } from './losses.js';

const labels = Int32Array.of(0, 1);
const training = (): Context => ({ training: true, random: new Random(1) });
let x: Tensor;
beforeEach(async () => {
  await setBackend('cpu');
  x = ones([2, 3, 3, 2]);
});
afterEach(() => x.dispose());

test('it gives loss, output and the gradient of every parameter, and frees all of it', () => {
  const model = new TinyNet().initialize(1);
  gradientStep(model, x, labels, crossEntropy(), training()).dispose();
  const before = memory().numTensors;
  const pass = gradientStep(model, x, labels, crossEntropy(), training());
  expect([...pass.gradients.keys()]).toEqual(['conv.weight', 'conv.bias', 'bn.weight', 'bn.bias', 'fc.weight', 'fc.bias']);
  expect(pass.gradients.get('conv.weight')?.shape).toEqual([3, 3, 2, 4]);
  expect(pass.output.shape).toEqual([2, 3]);
  expect(Number.isFinite(pass.loss.dataSync()[0])).toBe(true);
  expect(memory().numTensors).toBe(before + 8);
  pass.dispose();
  expect(memory().numTensors).toBe(before);
  model.dispose();
});

test('a gradient is the derivative of the loss', async () => {
  const model = new Dense().initialize(3);
  const pass = gradientStep(model, x, labels, crossEntropy(), training());
  const analytic = (await pass.gradients.get('fc1.weight')?.data()) as Float32Array;
  pass.dispose();
  const values = await model.fc1.weight.read();
  const lossAt = (shift: number): number => {
    model.fc1.weight.set(values.map((v, i) => (i === 5 ? v + shift : v)));
    const { loss, dispose } = gradientStep(model, x, labels, crossEntropy(), training());
    const value = loss.dataSync()[0];
    dispose();
    return value;
  };
  // value 5 of [8, 18] in PyTorch's layout is input 5 of output 0: index 5 · 8 in tfjs layout
  expect((lossAt(1e-2) - lossAt(-1e-2)) / 2e-2).toBeCloseTo(analytic[5 * 8], 3);
  model.dispose();
});

class TwoHeads extends Module {
  readonly main = new Dense();
  readonly side = new Dense();

  forward(input: Tensor, ctx: Context): Tensor {
    ctx.auxiliary?.(this.side.forward(input, ctx), 0.3);
    return this.main.forward(input, ctx);
  }
}

test('an auxiliary head adds its weighted loss, and gets gradients', () => {
  const model = new TwoHeads().initialize(3);
  const before = memory().numTensors;
  const lossOf = (part: Module) => {
    const alone = gradientStep(part, x, labels, crossEntropy(), training());
    const [value] = alone.loss.dataSync();
    alone.dispose();
    return value;
  };
  const pass = gradientStep(model, x, labels, crossEntropy(), training());
  expect(pass.loss.dataSync()[0]).toBeCloseTo(lossOf(model.main) + 0.3 * lossOf(model.side), 5);
  expect([...pass.gradients.keys()]).toEqual([...model.parameters()].map(([name]) => name));
  pass.dispose();
  expect(memory().numTensors).toBe(before);
  model.dispose();
});

class Throwing extends Module {
  readonly inner = new TinyNet();
  forward(input: Tensor, ctx: Context): Tensor {
    const y = square(relu(this.inner.forward(input, ctx)));
    if (y.size > 0) throw new Error('in the forward pass');
    return y;
  }
}

const throwingOp = (input: Tensor): Tensor =>
  customGrad((a, save) => {
    (save as (tensors: Tensor[]) => void)([mul(a as Tensor, 2)]);
    throw new Error('in an op, after it saved');
  })(input);

const throwingGradient = (input: Tensor): Tensor =>
  customGrad((a) => ({
    value: square(a as Tensor),
    gradFunc: () => {
      throw new Error('in the backward pass');
    },
  }))(input);

test('1,000 throws leave no tensor behind', () => {
  const model = new TinyNet().initialize(1);
  const throwing = new Throwing().initialize(1);
  const attempt = (loss: (y: Tensor) => Scalar) => gradientStep(model, x, labels, loss, training());
  const failures: [where: string, attempt: () => void][] = [
    ['in the forward pass', () => gradientStep(throwing, x, labels, crossEntropy(), training())],
    ['in an op, after it saved', () => attempt((y) => sum(throwingOp(square(y))))],
    ['in the backward pass', () => attempt((y) => sum(throwingGradient(square(y))))],
    ['label 7 is outside', () => attempt((y) => crossEntropy()(y, Int32Array.of(0, 7)))],
  ];
  const before = memory();
  for (let i = 0; i < 250; i++) for (const [where, fail] of failures) expect(fail).toThrow(where);
  expect(memory().numTensors).toBe(before.numTensors);
  expect(memory().numDataBuffers).toBe(before.numDataBuffers);
  // and the tape works as before
  gradientStep(model, x, labels, crossEntropy(), training()).dispose();
  expect(memory().numTensors).toBe(before.numTensors);
  model.dispose();
  throwing.dispose();
});
