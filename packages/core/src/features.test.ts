import { type Tensor, type Variable, memory, randomNormal, sum, tidy, variableGrads } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import './train/gradients.js';
import { selectBackend } from './backend/select.js';
import { features } from './features.js';
import { globalAvgPool, relu } from './functional.js';
import { BatchNorm2d } from './layers/batch-norm.js';
import { Conv2d } from './layers/conv2d.js';
import { Linear } from './layers/linear.js';
import { type Context, Module, Sequential, inference, pipe } from './module.js';
import { recompute } from './recompute.js';

class Net extends Module {
  readonly stem = new Conv2d(3, 4, 3, { stride: 2, padding: 1 });
  readonly body = new Sequential([new Sequential([new Conv2d(4, 6, 1), relu]), new Conv2d(6, 8, 3, { stride: 2, padding: 1 })]);
  readonly spare = new Linear(2, 2);
  readonly fc = new Linear(8, 2);
  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.stem, this.body, globalAvgPool, this.fc);
  }
}

const image = (): Tensor => randomNormal([2, 8, 8, 3], 0, 1, 'float32', 1);

beforeAll(() => selectBackend('cpu'));

test('features gives what the named modules give, in the order asked for, and nothing leaks', () => {
  const net = new Net().initialize(1);
  const x = image();
  const before = memory().numTensors;
  const [late, early] = features(net, x, ['body', 'body.0']);
  expect(late.shape).toEqual([2, 2, 2, 8]);
  expect(early.shape).toEqual([2, 4, 4, 6]);
  const expected = tidy(() => net.body.forward(net.stem.forward(x), inference).dataSync());
  expect(late.dataSync()).toEqual(expected);
  expect(memory().numTensors).toBe(before + 2);
  late.dispose();
  early.dispose();
  expect(Object.hasOwn(net.body, 'forward')).toBe(false);
  x.dispose();
  net.dispose();
});

test('what comes after the last of the named modules does not run', () => {
  const net = new Net().initialize(1);
  net.fc.dispose(); // running it would throw
  tidy(() => void expect(features(net, image(), ['body'])[0].shape).toEqual([2, 2, 2, 8]));
  net.dispose();
});

test('gradients flow through features, in the module below them and not in those above', () => {
  const net = new Net().initialize(1);
  const before = memory().numTensors;
  tidy(() => {
    const x = image();
    const weights = new Map(net.parameters());
    const variables = ['stem.weight', 'body.1.weight'].map((name): Variable => weights.get(name)!.value);
    const direct = variableGrads(() => sum(net.body.forward(net.stem.forward(x), inference)), variables);
    const tapped = variableGrads(() => sum(features(net, x, ['body'], { training: true })[0]), variables);
    for (const { name } of variables) expect(tapped.grads[name].dataSync()).toEqual(direct.grads[name].dataSync());
  });
  expect(memory().numTensors).toBe(before);
  net.dispose();
});

test('a wrong name is answered with the right ones, and a module that does not run is named', () => {
  const net = new Net().initialize(1);
  const x = image();
  const before = memory().numTensors;
  expect(() => features(net, x, ['body.7'])).toThrow('no module body.7; the parts of body are body.0, body.1');
  expect(() => features(net, x, ['trunk'])).toThrow('its parts are stem, body, spare, fc');
  expect(() => features(net, x, ['body', 'spare'])).toThrow('spare, but this pass did not run it');
  expect(memory().numTensors).toBe(before);
  x.dispose();
  net.dispose();
});

test('a module that is computed anew in the backward pass is refused while training, and given otherwise', () => {
  class Recomputing extends Module {
    readonly inner = new Sequential([new Conv2d(3, 4, 1), new BatchNorm2d(4)]);
    forward(x: Tensor, ctx: Context): Tensor {
      return relu(recompute(this.inner, [x], ctx));
    }
  }
  const net = new Recomputing().initialize(1);
  const before = memory().numTensors;
  tidy(() => {
    const x = image();
    expect(features(net, x, ['inner.0'])[0].shape).toEqual([2, 8, 8, 4]);
    expect(() => features(net, x, ['inner.0'], { training: true })).toThrow('computed anew');
  });
  expect(memory().numTensors).toBe(before);
  net.dispose();
});
