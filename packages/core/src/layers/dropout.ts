import { type Tensor, mul, tensor } from '@tensorflow/tfjs-core';
import { ArgumentError } from '../errors.js';
import { type Context, Module } from '../module.js';

function checkRate(name: string, rate: number): number {
  if (!(rate >= 0 && rate < 1)) throw new ArgumentError(`${name}: the rate must be in [0, 1), found ${rate}.`);
  return rate;
}

/** x · mask, with a mask of `shape` that is 0 with probability `rate` and 1 / (1 − rate) otherwise, so that the mean stays. */
function randomlyZero(layer: string, x: Tensor, shape: number[], rate: number, ctx: Context): Tensor {
  if (!ctx.training || rate === 0) return x;
  if (!ctx.random) throw new ArgumentError(`${layer}: a context with training: true needs \`random\` for the masks.`);
  const mask = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < mask.length; i++) mask[i] = ctx.random.uniform() < rate ? 0 : 1 / (1 - rate);
  return mul(x, tensor(mask, shape));
}

/** Zeroes single values with probability `rate` while training (Srivastava et al. 2014); any shape → the same shape. */
export class Dropout extends Module {
  readonly #rate: number;

  constructor(rate = 0.5) {
    super();
    this.#rate = checkRate('Dropout', rate);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return randomlyZero('Dropout', x, x.shape, this.#rate, ctx);
  }
}

/**
 * Zeroes whole samples of a residual branch with probability `rate` while training (stochastic depth, Huang et al. 2016);
 * any shape → the same shape.
 */
export class DropPath extends Module {
  readonly #rate: number;

  constructor(rate: number) {
    super();
    this.#rate = checkRate('DropPath', rate);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return randomlyZero('DropPath', x, [x.shape[0], ...x.shape.slice(1).map(() => 1)], this.#rate, ctx);
  }
}
