import { type Tensor, memory, randomNormal, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { selectBackend } from './backend/select.js';
import { fuse } from './fuse.js';
import { add, concat, relu } from './functional.js';
import { BatchNorm2d } from './layers/batch-norm.js';
import { Conv2d } from './layers/conv2d.js';
import { type Context, Module, inference, pipe } from './module.js';
import { Random } from './random.js';

const size = [6, 6] as const;
const image = (): Tensor => randomNormal([2, ...size, 3], 0, 1, 'float32', 1);

/** Random weights and running statistics. */
function fill<M extends Module<unknown>>(model: M): M {
  const random = new Random(5);
  for (const [name, state] of model.state()) {
    const low = name.endsWith('running_var') ? 0.5 : -1;
    if (state.kind !== 'counter') state.set(Float32Array.from({ length: state.size }, () => random.uniform(low, 1.5)));
  }
  return model;
}

abstract class Pair extends Module {
  readonly conv: Conv2d = new Conv2d(3, 6, 3, { padding: 1, bias: false });
  readonly bn: BatchNorm2d = new BatchNorm2d(6, { eps: 1e-3 });
}
const pairs: Record<string, [create: () => Module, fused: boolean]> = {
  'a convolution without bias': [
    () =>
      new (class extends Pair {
        forward = (x: Tensor, ctx: Context) => pipe(ctx, x, this.conv, this.bn, relu);
      })(),
    true,
  ],
  'a grouped convolution with bias, stride and dilation': [
    () =>
      new (class extends Pair {
        override readonly conv = new Conv2d(3, 6, 3, { padding: 'same', stride: 2, dilation: 1, groups: 3 });
        forward = (x: Tensor, ctx: Context) => pipe(ctx, x, this.conv, this.bn);
      })(),
    true,
  ],
  'a convolution that a sum reads too': [
    () =>
      new (class extends Pair {
        forward(x: Tensor, ctx: Context) {
          const y = this.conv.forward(x);
          return add(this.bn.forward(y, ctx), y);
        }
      })(),
    false,
  ],
  'a convolution whose output is normalised twice': [
    () =>
      new (class extends Pair {
        readonly other = new BatchNorm2d(6);
        forward(x: Tensor, ctx: Context) {
          const y = this.conv.forward(x);
          return concat([this.bn.forward(y, ctx), this.other.forward(y, ctx)]);
        }
      })(),
    false,
  ],
  'a convolution that runs twice': [
    () =>
      new (class extends Pair {
        forward(x: Tensor, ctx: Context) {
          return add(this.bn.forward(this.conv.forward(x), ctx), this.conv.forward(x));
        }
      })(),
    false,
  ],
  'a normalisation that runs twice': [
    () =>
      new (class extends Pair {
        forward = (x: Tensor, ctx: Context) => pipe(ctx, x, this.conv, this.bn, this.bn);
      })(),
    false,
  ],
  'an activation in between': [
    () =>
      new (class extends Pair {
        forward = (x: Tensor, ctx: Context) => pipe(ctx, x, this.conv, relu, this.bn);
      })(),
    false,
  ],
  'a convolution that computes something else than its class': [
    () =>
      new (class extends Pair {
        override readonly conv = new (class extends Conv2d {
          override forward(x: Tensor): Tensor {
            return relu(super.forward(x));
          }
        })(3, 6, 3, { padding: 1 });
        forward = (x: Tensor, ctx: Context) => pipe(ctx, x, this.conv, this.bn);
      })(),
    false,
  ],
};

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(() => selectBackend(backend));

  test.each(Object.entries(pairs))('%s gives the same outputs fused, and nothing leaks', (_, [create, folds]) => {
    const before = memory().numTensors;
    const model = fill(create());
    const weights = memory().numTensors;
    const fused = fuse(model, size);
    expect(memory().numTensors).toBe(weights + (folds ? 2 : 0)); // a filter and a bias
    tidy(() => {
      const x = image();
      const expected = model.forward(x, inference).dataSync();
      const scale = Math.max(...expected.map(Math.abs));
      fused
        .forward(x, inference)
        .dataSync()
        .forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 * scale));
    });
    fused.dispose();
    expect(memory().numTensors).toBe(weights);
    model.dispose();
    expect(memory().numTensors).toBe(before);
  });
});

test('a net whose output is the convolution itself stays as it is', () => {
  class Both extends Module<Tensor[]> {
    readonly conv = new Conv2d(3, 6, 1);
    readonly bn = new BatchNorm2d(6);
    forward(x: Tensor, ctx: Context): Tensor[] {
      const y = this.conv.forward(x);
      return [y, this.bn.forward(y, ctx)];
    }
  }
  const model = fill(new Both());
  const before = memory().numTensors;
  fuse(model, size);
  expect(memory().numTensors).toBe(before);
  model.dispose();
});

test('a fused net does not train, and notices that the weights have changed', () => {
  const model = fill(pairs['a convolution without bias'][0]()) as Pair;
  const fused = fuse(model, size);
  tidy(() => {
    const x = image();
    expect(() => fused.forward(x, { training: true })).toThrow('for inference');
    model.bn.running_mean.set(new Float32Array(6));
    expect(() => fused.forward(x, inference)).toThrow('fuse it again');
  });
  fused.dispose();
  model.dispose();
});
