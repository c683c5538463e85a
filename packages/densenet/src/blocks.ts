import { AvgPool2d, BatchNorm2d, Conv2d, type Context, Dropout, Module, Sequential } from '@convkit/core';
import { type Stage, concat, kaimingNormal, pipe, recompute, relu } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';

/** What all layers of a net share. */
export interface DenseOptions {
  /** k: the feature maps that each layer adds. */
  growthRate: number;
  /** Channels of the 1×1 convolution before each 3×3, as a multiple of k (the B of DenseNet-BC); 0 for none. */
  bottleneck: number;
  /** After each layer's last convolution. */
  dropout: number;
  /** Trains in memory that grows with the layers of a block, not with their square, for one more forward pass. */
  recompute: boolean;
}

const init = kaimingNormal();

/** BN–ReLU–1×1–BN–ReLU–3×3, or BN–ReLU–3×3 without bottleneck: [N, H, W, cin] → [N, H, W, k]. */
export class DenseLayer extends Module {
  readonly norm1: BatchNorm2d;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d | undefined;
  readonly conv2: Conv2d | undefined;
  readonly #dropout: Dropout;

  constructor(cin: number, { growthRate, bottleneck, dropout }: DenseOptions) {
    super();
    const conv3x3 = (channels: number) => new Conv2d(channels, growthRate, 3, { padding: 1, bias: false, init });
    const width = bottleneck * growthRate;
    this.norm1 = new BatchNorm2d(cin);
    this.conv1 = width > 0 ? new Conv2d(cin, width, 1, { bias: false, init }) : conv3x3(cin);
    this.norm2 = width > 0 ? new BatchNorm2d(width) : undefined;
    this.conv2 = width > 0 ? conv3x3(width) : undefined;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const second: Stage[] = this.norm2 && this.conv2 ? [this.norm2, relu, this.conv2] : [];
    return pipe(ctx, x, this.norm1, relu, this.conv1, ...second, this.#dropout);
  }
}

/** Each layer sees the block's input and all that the layers before it added: [N, H, W, cin] → [N, H, W, cin + layers · k]. */
export class DenseBlock extends Module {
  readonly #layers: readonly DenseLayer[];
  readonly #recompute: boolean;

  constructor(cin: number, layers: number, options: DenseOptions) {
    super();
    this.#layers = Array.from({ length: layers }, (_, i) => new DenseLayer(cin + i * options.growthRate, options));
    this.#recompute = options.recompute;
  }

  override parts(): [string, DenseLayer][] {
    return this.#layers.map((layer, i) => [`denselayer${i + 1}`, layer]);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    if (this.#recompute && ctx.training) {
      const features = [x];
      for (const layer of this.#layers) features.push(recompute(layer, features, ctx, concat));
      return concat(features);
    }
    return pipe(ctx, x, ...this.#layers.map((layer) => (y: Tensor) => concat([y, layer.forward(y, ctx)])));
  }
}

/** Fewer channels at half the size: [N, H, W, cin] → [N, H/2, W/2, cout]. */
export class Transition extends Sequential {
  constructor(cin: number, cout: number) {
    const conv = new Conv2d(cin, cout, 1, { bias: false, init });
    super({ norm: new BatchNorm2d(cin), relu, conv, pool: new AvgPool2d(2) });
  }
}
