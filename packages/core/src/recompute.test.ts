import { type Tensor, memory, square, sum, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { concat, relu } from './functional.js';
import { BatchNorm2d } from './layers/batch-norm.js';
import { Conv2d } from './layers/conv2d.js';
import { Dropout } from './layers/dropout.js';
import { type Context, Module, pipe } from './module.js';
import { backends, randomTensor, useBackend } from './ops/gradient-check.test-util.js';
import { Random } from './random.js';
import { recompute } from './recompute.js';
import { gradientStep } from './train/gradient-step.js';

class Layer extends Module {
  readonly norm = new BatchNorm2d(6);
  readonly conv = new Conv2d(6, 16, 3, { padding: 1 });
  readonly norm2 = new BatchNorm2d(16);
  readonly conv2 = new Conv2d(16, 3, 3, { padding: 1 });
  readonly drop: Dropout;
  fails = Infinity;
  passes = 0;

  constructor(rate: number) {
    super();
    this.drop = new Dropout(rate);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    if (++this.passes > this.fails) throw new Error('out of luck');
    return pipe(ctx, x, this.norm, relu, this.conv, this.norm2, relu, this.conv2, this.drop);
  }
}

/** Two inputs for the layer, both of which depend on weights; the second one is used again after it. */
class Net extends Module {
  readonly stem = new Conv2d(3, 3, 1);
  readonly layer: Layer;
  readonly #again: boolean;

  constructor({ rate = 0, again = true }) {
    super();
    this.#again = again;
    this.layer = new Layer(rate);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const parts = [x, this.stem.forward(x)];
    return concat([parts[1], this.#again ? recompute(this.layer, parts, ctx, concat) : this.layer.forward(concat(parts), ctx)]);
  }
}

const loss = (y: Tensor) => sum<never>(square(y));

describe.each(backends)('recompute on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  async function step(net: Net, x: Tensor, seed = 3) {
    const pass = gradientStep(net, x, 0, loss, { training: true, random: new Random(seed) });
    const values: Record<string, number[]> = { loss: [...(await pass.loss.data())] };
    for (const [name, gradient] of pass.gradients) values[name] = [...(await gradient.data())];
    for (const [name, state] of net.state()) {
      if (state.kind !== 'parameter') values[name] = state.kind === 'counter' ? [state.value] : [...(await state.read())];
    }
    pass.dispose();
    return values;
  }

  test('gives the bits of the plain pass, and moves running statistics once', async () => {
    const x = randomTensor([2, 5, 4, 3]);
    const [plain, again] = [new Net({ again: false }).initialize(1), new Net({}).initialize(1)];
    const before = memory().numTensors;
    for (let i = 0; i < 2; i++) expect(await step(again, x)).toEqual(await step(plain, x));
    expect(memory().numTensors).toBe(before);
    expect(again.layer.passes).toBe(4);
    for (const tensor of [x, plain, again]) tensor.dispose();
  });

  test('draws the same dropout mask twice', async () => {
    const x = randomTensor([2, 5, 4, 3]);
    const net = new Net({ rate: 0.5 }).initialize(1);
    const { loss: value, 'layer.conv2.bias': slope } = await step(net, x);
    const bias = await net.layer.conv2.bias!.read();
    const shifted = async (by: number) => {
      net.layer.conv2.bias!.set(bias.map((b, i) => (i === 1 ? b + by : b)));
      return (await step(net, x)).loss[0];
    };
    expect(((await shifted(0.05)) - (await shifted(-0.05))) / 0.1).toBeCloseTo(slope[1], 1);
    expect((await step(net, x, 4)).loss).not.toEqual(value);
    for (const tensor of [x, net]) tensor.dispose();
  });

  test('keeps only the inputs for the backward pass', () => {
    const x = randomTensor([4, 16, 16, 3]);
    const held = [false, true].map((again) => {
      const net = new Net({ again }).initialize(1);
      const before = memory().numDataBuffers;
      let buffers = 0;
      const counted = (y: Tensor) => {
        buffers = memory().numDataBuffers - before;
        return loss(y);
      };
      gradientStep(net, x, 0, counted, { training: true, random: new Random(1) }).dispose();
      net.dispose();
      return buffers;
    });
    // the stem, the layer's output, the net's output; and the layer's inside in the plain pass
    expect(held[1]).toBe(3);
    expect(held[0]).toBe(11);
    x.dispose();
  });

  test('a throw in the second pass leaves no tensor behind, and the tape works as before', async () => {
    const x = randomTensor([2, 5, 4, 3]);
    const net = new Net({}).initialize(1);
    const expected = await step(new Net({}).initialize(1), x);
    const before = memory().numTensors;
    net.layer.fails = 1;
    expect(() => gradientStep(net, x, 0, loss, { training: true })).toThrow('out of luck');
    expect(memory().numTensors).toBe(before);
    net.layer.fails = Infinity;
    expect((await step(net, x)).loss).toEqual(expected.loss);
    for (const tensor of [x, net]) tensor.dispose();
  });

  test('is the plain pass outside of training', () => {
    const net = new Net({}).initialize(1);
    tidy(() => void net.forward(randomTensor([1, 4, 4, 3]), { training: false }));
    expect(net.layer.passes).toBe(1);
    net.dispose();
  });
});
