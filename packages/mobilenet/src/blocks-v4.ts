// The blocks of MobileNetV4, with timm's names.
import { BatchNorm2d, type Context, type Conv2d, DropPath, Module, Parameter, Sequential } from '@convkit/core';
import { add, constant, makeDivisible, mul, multiQueryAttention, pipe, xavierUniform } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { MobileNetConfig } from './config.js';
import { conv, depthwise } from './timm.js';

export interface BlockOptions extends Pick<MobileNetConfig, 'padding' | 'norm'> {
  activation: (x: Tensor) => Tensor;
  /** Starting value of the layer scale; undefined: none. */
  layerScale: number | undefined;
  /** Rate of stochastic depth. */
  dropPath: number;
}

/** γ · x, one γ per channel: any shape [..., C] → the same (Touvron et al. 2021, https://arxiv.org/abs/2103.17239). */
export class LayerScale extends Module {
  readonly gamma: Parameter;

  constructor(channels: number, value: number) {
    super();
    this.gamma = new Parameter([channels], { init: constant(value) });
  }

  forward(x: Tensor): Tensor {
    return mul(x, this.gamma.value);
  }
}

/** Convolution, normalisation, activation: [N, H, W, cin] → [N, H/stride, W/stride, cout]. */
export class ConvBlock extends Module {
  readonly conv: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly #activation;

  constructor(cin: number, cout: number, kernel: number, stride: number, { padding, norm, activation }: BlockOptions) {
    super();
    this.conv = conv(cin, cout, kernel, { stride, padding });
    this.bn1 = new BatchNorm2d(cout, norm);
    this.#activation = activation;
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv, this.bn1, this.#activation);
  }
}

/** What blocks with a shortcut end with: the branch's result plus x where the shape stays. */
abstract class ResidualBlock extends Module {
  readonly #shortcut: boolean;
  readonly #dropPath: DropPath;

  constructor(shortcut: boolean, dropPath: number) {
    super();
    this.#shortcut = shortcut;
    this.#dropPath = new DropPath(dropPath);
  }

  /** The block without its shortcut. */
  abstract branch(x: Tensor, ctx: Context): Tensor;

  forward(x: Tensor, ctx: Context): Tensor {
    const y = this.branch(x, ctx);
    return this.#shortcut ? add(this.#dropPath.forward(y, ctx), x) : y;
  }
}

/** Fused inverted bottleneck, 3×3 expansion → linear 1×1 projection: [N, H, W, cin] → [N, H/stride, W/stride, cout]. */
export class FusedInvertedBottleneck extends ResidualBlock {
  readonly conv_exp: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv_pwl: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly #activation;

  constructor(cin: number, cout: number, expand: number, stride: number, options: BlockOptions) {
    const { padding, norm, activation, dropPath } = options;
    super(stride === 1 && cin === cout, dropPath);
    const middle = makeDivisible(cin * expand);
    this.conv_exp = conv(cin, middle, 3, { stride, padding });
    this.bn1 = new BatchNorm2d(middle, norm);
    this.conv_pwl = conv(middle, cout, 1, {});
    this.bn2 = new BatchNorm2d(cout, norm);
    this.#activation = activation;
  }

  branch(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv_exp, this.bn1, this.#activation, this.conv_pwl, this.bn2);
  }
}

/** Sizes of the depthwise kernels before the expansion and between expansion and projection; 0: none there. */
export type DepthwiseKernels = readonly [start: 0 | 3 | 5, middle: 0 | 3 | 5];

/**
 * Universal inverted bottleneck: [depthwise] → 1×1 expansion → [depthwise] → linear 1×1 projection, [N, H, W, cin] →
 * [N, H/stride, W/stride, cout]. The stride is on the later depthwise convolution. With both the paper calls it extra
 * depthwise, with the first only ConvNext-like, with the second only inverted bottleneck, with none feed-forward network.
 */
export class UniversalInvertedBottleneck extends ResidualBlock {
  readonly dw_start: Sequential | undefined;
  readonly pw_exp: Sequential;
  readonly dw_mid: Sequential | undefined;
  readonly pw_proj: Sequential;
  readonly layer_scale: LayerScale | undefined;

  constructor(cin: number, cout: number, expand: number, stride: number, kernels: DepthwiseKernels, options: BlockOptions) {
    const { padding, norm, activation, layerScale, dropPath } = options;
    super(stride === 1 && cin === cout, dropPath);
    const [start, middle] = kernels;
    const expanded = makeDivisible(cin * expand);
    const normalised = (layer: Conv2d, channels: number) => ({ conv: layer, bn: new BatchNorm2d(channels, norm) });
    const early = { stride: middle ? 1 : stride, padding };
    this.dw_start = start ? new Sequential(normalised(depthwise(cin, start, early), cin)) : undefined;
    this.pw_exp = new Sequential({ ...normalised(conv(cin, expanded, 1, {}), expanded), act: activation });
    this.dw_mid = middle
      ? new Sequential({ ...normalised(depthwise(expanded, middle, { stride, padding }), expanded), act: activation })
      : undefined;
    this.pw_proj = new Sequential(normalised(conv(expanded, cout, 1, {}), cout));
    this.layer_scale = layerScale === undefined ? undefined : new LayerScale(cout, layerScale);
  }

  branch(x: Tensor, ctx: Context): Tensor {
    const stages = [this.dw_start, this.pw_exp, this.dw_mid, this.pw_proj, this.layer_scale];
    return pipe(ctx, x, ...stages.filter((stage) => stage !== undefined));
  }
}

export interface AttentionOptions {
  heads: number;
  /** Channels of a query, of the keys and of the values. */
  dim: number;
  /** Keys and values come from a map that a depthwise 3×3 convolution has made smaller by this factor. */
  stride: 1 | 2;
}

/** Multi-query attention between all pixels: [N, H, W, C] → [N, H, W, C]. */
export class MultiQueryAttention extends Module {
  readonly query: Sequential;
  readonly key: Sequential;
  readonly value: Sequential;
  readonly output: Sequential;

  constructor(channels: number, { heads, dim, stride }: AttentionOptions, { padding, norm }: BlockOptions) {
    super();
    const projection = (from: number, to: number) => conv(from, to, 1, { init: xavierUniform });
    const reduced = () => {
      const proj = projection(channels, dim);
      if (stride === 1) return new Sequential({ proj });
      const down_conv = depthwise(channels, 3, { stride, padding, init: xavierUniform });
      return new Sequential({ down_conv, norm: new BatchNorm2d(channels, norm), proj });
    };
    this.query = new Sequential({ proj: projection(channels, heads * dim) });
    this.key = reduced();
    this.value = reduced();
    this.output = new Sequential({ proj: projection(heads * dim, channels) });
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const [query, key, value] = [this.query, this.key, this.value].map((part) => part.forward(x, ctx));
    return this.output.forward(multiQueryAttention(query, key, value), ctx);
  }
}

/** Normalisation → multi-query attention, plus shortcut: [N, H, W, C] → [N, H, W, C]. */
export class AttentionBlock extends ResidualBlock {
  readonly norm: BatchNorm2d;
  readonly attn: MultiQueryAttention;
  readonly layer_scale: LayerScale | undefined;

  constructor(channels: number, attention: AttentionOptions, options: BlockOptions) {
    super(true, options.dropPath);
    this.norm = new BatchNorm2d(channels, options.norm);
    this.attn = new MultiQueryAttention(channels, attention, options);
    this.layer_scale = options.layerScale === undefined ? undefined : new LayerScale(channels, options.layerScale);
  }

  branch(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.norm, this.attn, ...(this.layer_scale ? [this.layer_scale] : []));
  }
}
