// MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, Howard et al. 2017,
// https://arxiv.org/abs/1704.04861
// Reference: timm/models/efficientnet.py (mobilenetv1_100), whose state-dict names these are.
import { BatchNorm2d, Classifier, type Context, type Conv2d, Dropout, type Linear, Module, Sequential } from '@convkit/core';
import { globalAvgPool, makeDivisible, pipe, relu6 } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { MobileNetConfig } from './config.js';
import { conv, depthwise, linear } from './timm.js';

/** Depthwise 3×3 → 1×1, ReLU6 after each: [N, H, W, cin] → [N, H/stride, W/stride, cout]. */
export class DepthwiseSeparable extends Module {
  readonly conv_dw: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv_pw: Conv2d;
  readonly bn2: BatchNorm2d;

  constructor(cin: number, cout: number, stride: number, { padding, norm }: Pick<MobileNetConfig, 'padding' | 'norm'>) {
    super();
    this.conv_dw = depthwise(cin, 3, { stride, padding });
    this.bn1 = new BatchNorm2d(cin, norm);
    this.conv_pw = conv(cin, cout, 1, {});
    this.bn2 = new BatchNorm2d(cout, norm);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv_dw, this.bn1, relu6, this.conv_pw, this.bn2, relu6);
  }
}

/** Channels and blocks of the stages; all but the first halve the resolution. */
const stages = [
  [64, 1],
  [128, 2],
  [256, 2],
  [512, 6],
  [1024, 2],
] as const;

/** [N, H, W, 3] → logits [N, numClasses]; the stages run at strides 2, 4, 8, 16, 32. */
export class MobileNetV1 extends Classifier {
  readonly conv_stem: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly blocks: Sequential;
  readonly classifier: Linear;
  readonly #dropout: Dropout;

  constructor(config: MobileNetConfig) {
    super(config);
    const { width, padding, norm, numClasses } = config;
    let channels = makeDivisible(32 * width);
    const stage = (cout: number, count: number, stride: number) =>
      new Sequential(
        Array.from({ length: count }, (_, i) => {
          const block = new DepthwiseSeparable(channels, cout, i === 0 ? stride : 1, config);
          channels = cout;
          return block;
        }),
      );

    this.conv_stem = conv(3, channels, 3, { stride: 2, padding });
    this.bn1 = new BatchNorm2d(channels, norm);
    this.blocks = new Sequential(stages.map(([cout, count], s) => stage(makeDivisible(cout * width), count, s === 0 ? 1 : 2)));
    this.stages = stages.map(([cout], i) => ({
      name: `blocks.${i}`,
      stride: 2 ** (i + 1),
      channels: makeDivisible(cout * width),
    }));
    this.classifier = linear(channels, numClasses);
    this.#dropout = new Dropout(config.dropout);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv_stem, this.bn1, relu6, this.blocks, globalAvgPool, this.#dropout, this.classifier);
  }
}
