import { type Tensor, mul } from '@tensorflow/tfjs-core';
import { relu, sigmoid, spatialMean } from '../functional.js';
import type { Initializer } from '../init.js';
import { type Context, Module, pipe } from '../module.js';
import { Conv2d } from './conv2d.js';

export interface SqueezeExciteOptions {
  activation?: (x: Tensor) => Tensor;
  gate?: (x: Tensor) => Tensor;
  init?: Initializer;
  biasInit?: Initializer;
}

/**
 * Scales each channel by a gate computed from the means of all: x · σ(fc2(δ(fc1(mean(x))))), [N, H, W, C] → [N, H, W, C]
 * (Hu et al. 2018), as torchvision's `SqueezeExcitation` with 1×1 convolutions `fc1`, `fc2`.
 */
export class SqueezeExcite extends Module {
  readonly fc1: Conv2d;
  readonly fc2: Conv2d;
  readonly #activation;
  readonly #gate;

  constructor(channels: number, squeezed: number, options: SqueezeExciteOptions = {}) {
    super();
    const { activation = relu, gate = sigmoid, ...init } = options;
    this.fc1 = new Conv2d(channels, squeezed, 1, init);
    this.fc2 = new Conv2d(squeezed, channels, 1, init);
    this.#activation = activation;
    this.#gate = gate;
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return mul(x, pipe(ctx, spatialMean(x), this.fc1, this.#activation, this.fc2, this.#gate));
  }
}
