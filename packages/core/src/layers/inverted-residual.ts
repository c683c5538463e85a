import type { Tensor } from '@tensorflow/tfjs-core';
import { add } from '../functional.js';
import { type Context, Module, Sequential, pipe } from '../module.js';
import { ConvNormAct, type ConvNormActOptions } from './conv-norm-act.js';
import type { Pair } from './conv2d.js';
import { DropPath } from './dropout.js';
import { SqueezeExcite, type SqueezeExciteOptions } from './squeeze-excite.js';

export interface InvertedResidualOptions extends Omit<ConvNormActOptions, 'groups' | 'dilation'> {
  /** Channels of the depthwise convolution; the 1×1 expansion is left out where they equal `cin`. */
  expanded: number;
  kernel: Pair;
  stride?: number;
  /** Squeeze-and-excitation between depthwise convolution and projection, with so many channels in the middle. */
  squeeze?: SqueezeExciteOptions & { channels: number };
  /** Rate of stochastic depth, where there is a shortcut. */
  dropPath?: number;
}

/**
 * 1×1 expansion → depthwise convolution → [squeeze-and-excitation] → linear 1×1 projection, and a shortcut where the shape
 * stays: [N, H, W, cin] → [N, H/stride, W/stride, cout] (Sandler et al. 2018, https://arxiv.org/abs/1801.04381; also called
 * MBConv). State as in torchvision: `block.0.0.weight` …
 */
export class InvertedResidual extends Module {
  readonly block: Sequential;
  readonly #shortcut: boolean;
  readonly #dropPath: DropPath;

  constructor(cin: number, cout: number, options: InvertedResidualOptions) {
    super();
    const { expanded, kernel, stride = 1, squeeze, dropPath = 0, ...shared } = options;
    this.block = new Sequential([
      ...(expanded === cin ? [] : [new ConvNormAct(cin, expanded, 1, shared)]),
      new ConvNormAct(expanded, expanded, kernel, { ...shared, stride, groups: expanded }),
      ...(squeeze ? [new SqueezeExcite(expanded, squeeze.channels, squeeze)] : []),
      new ConvNormAct(expanded, cout, 1, { ...shared, activation: null }),
    ]);
    this.#shortcut = stride === 1 && cin === cout;
    this.#dropPath = new DropPath(dropPath);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    if (!this.#shortcut) return this.block.forward(x, ctx);
    return add(pipe(ctx, x, this.block, this.#dropPath), x);
  }
}
