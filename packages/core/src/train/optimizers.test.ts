import '@tensorflow/tfjs-backend-cpu';
import { type Tensor, memory, setBackend, tensor } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { ArgumentError, FormatError } from '../errors.js';
import { zeros } from '../init.js';
import { Parameter } from '../module.js';
import { type OptimizerFactory, adam, adamw, rmsprop, sgd } from './optimizers.js';

beforeAll(() => setBackend('cpu'));

const start = [0.5, -1.25, 2, 0.01, -0.3, 0];
const STEPS = 7;
const gradientOf = (step: number, i: number): number => Math.sin(1 + 3 * step + 7 * i) * (i === 3 ? 1e-3 : 1);
const rateOf = (step: number): number => 0.1 / (1 + step);

/** A [2, 3] linear weight (stored [3, 2]), set to `start` in PyTorch's order. */
function parameterOf(values: number[] = start): Parameter {
  const parameter = new Parameter([2, 3], { init: zeros, layout: 'linear' });
  parameter.set(Float32Array.from(values));
  return parameter;
}

/** The gradient of a step in tfjs layout: value (o, i) of PyTorch's lies at (i, o). */
function gradientTensor(step: number): Tensor {
  const values = [0, 3, 1, 4, 2, 5].map((i) => gradientOf(step, i));
  return tensor(values, [3, 2]);
}

function run(
  factory: OptimizerFactory,
  parameter: Parameter,
  from: number,
  to: number,
  optimizer = factory.bind([['w', parameter]]),
) {
  for (let step = from; step < to; step++) {
    const gradient = gradientTensor(step);
    optimizer.step(new Map([['w', gradient]]), rateOf(step));
    gradient.dispose();
  }
  return optimizer;
}

type Scalar64 = (p: number, gradients: number[]) => number;

/** Each follows the algorithm box in the PyTorch 1.13 documentation for one value, in float64. */
const expectations: [name: string, factory: OptimizerFactory, reference: Scalar64][] = [
  ['sgd', sgd(), (p, gs) => gs.reduce((w, g, t) => w - rateOf(t) * g, p)],
  [
    'sgd with L2 decay, momentum and dampening',
    sgd({ momentum: 0.9, dampening: 0.3, weightDecay: 0.05 }),
    (p, gs) => {
      let b = NaN;
      gs.forEach((raw, t) => {
        const g = raw + 0.05 * p;
        b = t === 0 ? g : 0.9 * b + 0.7 * g;
        p -= rateOf(t) * b;
      });
      return p;
    },
  ],
  [
    'sgd with nesterov momentum',
    sgd({ momentum: 0.8, nesterov: true, weightDecay: 1e-2 }),
    (p, gs) => {
      let b = 0;
      gs.forEach((raw, t) => {
        const g = raw + 1e-2 * p;
        b = 0.8 * b + g;
        p -= rateOf(t) * (g + 0.8 * b);
      });
      return p;
    },
  ],
  [
    'adam with L2 decay',
    adam({ beta1: 0.8, beta2: 0.95, eps: 1e-3, weightDecay: 0.1 }),
    (p, gs) => {
      let m = 0;
      let v = 0;
      gs.forEach((raw, t) => {
        const g = raw + 0.1 * p;
        m = 0.8 * m + 0.2 * g;
        v = 0.95 * v + 0.05 * g * g;
        p -= (rateOf(t) * (m / (1 - 0.8 ** (t + 1)))) / (Math.sqrt(v / (1 - 0.95 ** (t + 1))) + 1e-3);
      });
      return p;
    },
  ],
  [
    'adamw with its defaults',
    adamw(),
    (p, gs) => {
      let m = 0;
      let v = 0;
      gs.forEach((g, t) => {
        p *= 1 - rateOf(t) * 0.01;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        p -= (rateOf(t) * (m / (1 - 0.9 ** (t + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (t + 1))) + 1e-8);
      });
      return p;
    },
  ],
  [
    'rmsprop',
    rmsprop({ alpha: 0.9, eps: 1e-2, weightDecay: 0.02 }),
    (p, gs) => {
      let v = 0;
      gs.forEach((raw, t) => {
        const g = raw + 0.02 * p;
        v = 0.9 * v + 0.1 * g * g;
        p -= (rateOf(t) * g) / (Math.sqrt(v) + 1e-2);
      });
      return p;
    },
  ],
  [
    'rmsprop, centred, with momentum',
    rmsprop({ alpha: 0.7, eps: 1e-2, momentum: 0.9, centered: true }),
    (p, gs) => {
      let v = 0;
      let mean = 0;
      let b = 0;
      gs.forEach((g, t) => {
        v = 0.7 * v + 0.3 * g * g;
        mean = 0.7 * mean + 0.3 * g;
        b = 0.9 * b + g / (Math.sqrt(v - mean * mean) + 1e-2);
        p -= rateOf(t) * b;
      });
      return p;
    },
  ],
];

test.each(expectations)('%s follows PyTorch over several steps', async (_, factory, reference) => {
  const parameter = parameterOf();
  const optimizer = run(factory, parameter, 0, STEPS);
  const values = await parameter.read();
  start.forEach((p, i) => {
    const gradients = Array.from({ length: STEPS }, (_, step) => gradientOf(step, i));
    expect(Math.abs(values[i] - reference(p, gradients))).toBeLessThan(4e-6);
  });
  optimizer.dispose();
  parameter.dispose();
});

test.each(expectations)('%s goes on from its saved state with the same bits', async (_, factory) => {
  const before = memory().numTensors;
  const straight = parameterOf();
  const straightState = run(factory, straight, 0, STEPS);

  const first = parameterOf();
  const firstState = run(factory, first, 0, 4);
  const second = parameterOf();
  second.set(await first.read());
  const secondState = factory.bind([['w', second]]);
  secondState.load(await firstState.state());
  run(factory, second, 4, STEPS, secondState);

  expect(await second.read()).toEqual(await straight.read());
  expect(await secondState.state()).toEqual(await straightState.state());
  for (const owned of [straight, straightState, first, firstState, second, secondState]) owned.dispose();
  expect(memory().numTensors).toBe(before);
});

test('the state is in PyTorch’s layout under PyTorch’s names', async () => {
  const parameter = parameterOf();
  const optimizer = run(adam(), parameter, 0, 1);
  const state = await optimizer.state();
  expect([...state.keys()]).toEqual(['w.step', 'w.exp_avg', 'w.exp_avg_sq']);
  expect(state.get('w.exp_avg')?.shape).toEqual([2, 3]);
  const average = state.get('w.exp_avg')?.data as Float32Array;
  expect(average[1]).toBeCloseTo(0.1 * gradientOf(0, 1), 6);
  expect(state.get('w.step')?.data).toEqual(BigInt64Array.of(1n));
});

test('steps neither leak tensors nor touch parameters without a gradient', async () => {
  const [a, b] = [parameterOf(), parameterOf()];
  const optimizer = adamw().bind([['a', a], ['b', b]]); // prettier-ignore
  const step = () => {
    const gradient = gradientTensor(1);
    optimizer.step(new Map([['a', gradient]]), 0.1);
    gradient.dispose();
  };
  step();
  const tensors = memory().numTensors;
  for (let i = 0; i < 20; i++) step();
  expect(memory().numTensors).toBe(tensors);
  expect(await b.read()).toEqual(Float32Array.from(start));
  expect([...(await optimizer.state()).keys()]).toEqual(['a.step', 'a.exp_avg', 'a.exp_avg_sq']);
});

test('a state of another optimizer or shape is refused and the slots stay', async () => {
  const parameter = parameterOf();
  const optimizer = run(adam(), parameter, 0, 2);
  const before = await optimizer.state();
  const other = run(sgd({ momentum: 0.9 }), parameterOf(), 0, 1);
  expect(() => optimizer.load(new Map())).not.toThrow();
  optimizer.load(before);
  await expect(other.state().then((state) => optimizer.load(state))).rejects.toThrow(
    /w\.momentum_buffer .* do not belong to adam/,
  );
  const half = new Map([...before].filter(([name]) => name !== 'w.exp_avg'));
  expect(() => optimizer.load(half)).toThrow(FormatError);
  const short = new Map(before).set('w.exp_avg', { dtype: 'F32', shape: [2], data: new Float32Array(2) });
  expect(() => optimizer.load(short)).toThrow(/expected float32 \[2,3\], found F32 \[2\]/);
  expect(await optimizer.state()).toEqual(before);
});

test('settings that cannot work are refused', () => {
  expect(() => sgd({ nesterov: true })).toThrow(ArgumentError);
  expect(() => adam({ beta1: 1 })).toThrow('adam: beta1 must be in [0, 1), found 1.');
  expect(() => rmsprop({ eps: -1 })).toThrow(ArgumentError);
});
