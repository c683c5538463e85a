import { add, affine, clamp, elu, leakyRelu, mish, mul, relu, relu6, selu, sigmoid, silu, tanh } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ActivationName } from './config.js';

/** Slope `inside` between low and high, 0.01 or 0.001 outside: Darknet's piecewise linear functions. */
const pieces = (low: number, high: number, inside: number, outside: number) => (x: Tensor) =>
  add(mul(x, outside), mul(clamp(x, low, high), inside - outside));

/** Darknet's activations by their names in a `.cfg` file. */
export const activations: Readonly<Record<ActivationName, (x: Tensor) => Tensor>> = {
  linear: (x) => x,
  leaky: (x) => leakyRelu(x, 0.1),
  relu,
  relu6,
  relie: (x) => leakyRelu(x, 0.01),
  ramp: (x) => add(relu(x), mul(x, 0.1)),
  logistic: sigmoid,
  loggy: (x) => tanh(mul(x, 0.5)), // 2 / (1 + e⁻ˣ) − 1
  tanh,
  hardtan: (x) => clamp(x, -1, 1),
  lhtan: pieces(0, 1, 1, 0.001),
  plse: (x) => affine(pieces(-4, 4, 0.125, 0.01)(x), [1], [0.5]),
  elu,
  selu,
  swish: silu,
  mish,
};
