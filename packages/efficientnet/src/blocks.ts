import { ConvNormAct, type ConvNormActOptions, DropPath, InvertedResidual, Module, Sequential } from '@convkit/core';
import { type Context, add, kaimingNormal, makeDivisible, pipe, silu, zeros } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';

export const init = kaimingNormal({ mode: 'out' });

export interface BlockOptions extends Pick<ConvNormActOptions, 'padding' | 'norm'> {
  kernel: number;
  stride: number;
  /** Channels inside over channels of the input. */
  expand: number;
  /** Rate of stochastic depth. */
  dropPath: number;
}

/** Inverted residual with squeeze-and-excitation to a quarter of the block's input: [N, H, W, cin] → [N, H/s, W/s, cout]. */
export class MBConv extends InvertedResidual {
  constructor(cin: number, cout: number, { expand, ...options }: BlockOptions) {
    const squeeze = { channels: Math.max(1, Math.floor(cin / 4)), activation: silu, init, biasInit: zeros };
    super(cin, cout, { ...options, expanded: makeDivisible(cin * expand), squeeze, activation: silu, init });
  }
}

/**
 * MBConv with expansion and depthwise convolution fused into one dense convolution, and without squeeze-and-excitation:
 * [N, H, W, cin] → [N, H/s, W/s, cout]. Without expansion it is that convolution alone.
 */
export class FusedMBConv extends Module {
  readonly block: Sequential;
  readonly #shortcut: boolean;
  readonly #dropPath: DropPath;

  constructor(cin: number, cout: number, { kernel, stride, expand, dropPath, padding, norm }: BlockOptions) {
    super();
    const shared = { padding, norm, activation: silu, init };
    const expanded = makeDivisible(cin * expand);
    this.block = new Sequential(
      expanded === cin
        ? [new ConvNormAct(cin, cout, kernel, { ...shared, stride })]
        : [
            new ConvNormAct(cin, expanded, kernel, { ...shared, stride }),
            new ConvNormAct(expanded, cout, 1, { ...shared, activation: null }),
          ],
    );
    this.#shortcut = stride === 1 && cin === cout;
    this.#dropPath = new DropPath(dropPath);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    if (!this.#shortcut) return this.block.forward(x, ctx);
    return add(pipe(ctx, x, this.block, this.#dropPath), x);
  }
}
