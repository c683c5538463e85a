import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { Module } from '../module.js';
import { type Sides, adaptiveAvgPool, avgPool, maxPool } from '../ops/pool.js';
import { type Pair, pair } from './conv2d.js';

export interface MaxPool2dOptions {
  /** Default: the kernel size, as in PyTorch. */
  stride?: Pair;
  /** −∞ on each side, or [height, width] of which each may be [before, after]. Default 0. */
  padding?: number | readonly [height: Sides, width: Sides];
  dilation?: Pair;
  /** Keeps a last, partial window (GoogLeNet, Caffe). Default false. */
  ceilMode?: boolean;
}

/** Largest value of each window: [N, H, W, C] → [N, H', W', C], as `torch.nn.MaxPool2d`. */
export class MaxPool2d extends Module {
  readonly #settings;

  constructor(kernel: Pair, { stride = kernel, padding = 0, dilation = 1, ceilMode = false }: MaxPool2dOptions = {}) {
    super();
    const sides = typeof padding === 'number' ? ([padding, padding] as const) : padding;
    this.#settings = { kernel: pair(kernel), stride: pair(stride), padding: sides, dilation: pair(dilation), ceilMode };
  }

  forward(x: Tensor): Tensor {
    return maxPool(x as Tensor4D, this.#settings);
  }
}

export interface AvgPool2dOptions extends Omit<MaxPool2dOptions, 'dilation' | 'padding'> {
  /** Default 0. */
  padding?: Pair;
  /** Does the padding count as zeros in the mean? PyTorch's default is true, TensorFlow's false. */
  countIncludePad?: boolean;
}

/** Mean of each window: [N, H, W, C] → [N, H', W', C], as `torch.nn.AvgPool2d`. */
export class AvgPool2d extends Module {
  readonly #settings;

  constructor(kernel: Pair, options: AvgPool2dOptions = {}) {
    super();
    const { stride = kernel, padding = 0, ceilMode = false, countIncludePad = true } = options;
    this.#settings = { kernel: pair(kernel), stride: pair(stride), padding: pair(padding), ceilMode, countIncludePad };
  }

  forward(x: Tensor): Tensor {
    return avgPool(x as Tensor4D, this.#settings);
  }
}

/** Mean over a grid of `size` windows that cover the input: [N, H, W, C] → [N, h, w, C], as `torch.nn.AdaptiveAvgPool2d`. */
export class AdaptiveAvgPool2d extends Module {
  readonly #size: [number, number];

  constructor(size: Pair) {
    super();
    this.#size = pair(size);
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool(x as Tensor4D, this.#size);
  }
}
