import { BatchNorm2d, type Context, Conv2d, Module, Sequential, SqueezeExcite, makeDivisible } from '@convkit/core';
import { add, channelMax, channelMean, concat, mul, pipe, relu, sigmoid, spatialMax, spatialMean } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';

/** `se`: which channels matter (Hu et al. 2018); `cbam`: which channels, then which places (Woo et al. 2018). */
export type Attention = 'se' | 'cbam';

/** The attention at the end of a residual branch; a sixteenth of the channels in the middle, as in both papers. */
export const attentionOf = (kind: Attention, channels: number): Module =>
  kind === 'se' ? new SqueezeExcite(channels, makeDivisible(channels / 16)) : new Cbam(channels, Math.round(channels / 16));

/** x · σ(mlp(mean of x) + mlp(maximum of x)) for each channel: [N, H, W, C] → [N, H, W, C]. */
class ChannelAttention extends Module {
  readonly fc1: Conv2d;
  readonly fc2: Conv2d;

  constructor(channels: number, squeezed: number) {
    super();
    this.fc1 = new Conv2d(channels, squeezed, 1, { bias: false });
    this.fc2 = new Conv2d(squeezed, channels, 1, { bias: false });
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const mlp = (pooled: Tensor) => pipe(ctx, pooled, this.fc1, relu, this.fc2);
    return mul(x, sigmoid(add(mlp(spatialMean(x)), mlp(spatialMax(x)))));
  }
}

/** x · σ(7×7 convolution of the mean and the maximum over channels) for each pixel: [N, H, W, C] → [N, H, W, C]. */
class SpatialAttention extends Module {
  readonly conv = new Sequential({
    conv: new Conv2d(2, 1, 7, { padding: 3, bias: false }),
    bn: new BatchNorm2d(1),
  });

  forward(x: Tensor, ctx: Context): Tensor {
    return mul(x, sigmoid(this.conv.forward(concat([channelMean(x), channelMax(x)]), ctx)));
  }
}

/**
 * Convolutional block attention, channels first, then places: [N, H, W, C] → [N, H, W, C] (Woo et al. 2018,
 * https://arxiv.org/abs/1807.06521), with the state-dict names of timm's `CbamModule`.
 */
export class Cbam extends Module {
  readonly channel: ChannelAttention;
  readonly spatial = new SpatialAttention();

  constructor(channels: number, squeezed: number) {
    super();
    this.channel = new ChannelAttention(channels, squeezed);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.channel, this.spatial);
  }
}
