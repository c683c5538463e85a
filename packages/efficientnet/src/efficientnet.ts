// EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, Tan and Le 2019, https://arxiv.org/abs/1905.11946
// EfficientNetV2: Smaller Models and Faster Training, Tan and Le 2021, https://arxiv.org/abs/2104.00298
// Reference: torchvision/models/efficientnet.py, whose state-dict names these are.
import { Classifier, type CommonConfig, type Context, ConvNormAct, Dropout, Linear, Sequential } from '@convkit/core';
import { type BatchNorm2dOptions, type PaddingStyle, globalAvgPool, makeDivisible, pipe, silu } from '@convkit/core';
import { kaimingUniform, pyramid, zeros } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { FusedMBConv, MBConv, init } from './blocks.js';

const blocks = { mbconv: MBConv, fused: FusedMBConv };

/** A row of the papers' tables (1 in the first, 4 in the second), before scaling. */
export interface Stage {
  block: keyof typeof blocks;
  expand: number;
  kernel: 3 | 5;
  /** Of the first block. */
  stride: 1 | 2;
  channels: number;
  layers: number;
}

export interface EfficientNetConfig extends CommonConfig {
  stem: number;
  stages: readonly Stage[];
  /** Features of the classifier; undefined: four times the channels of the last stage. */
  head: number | undefined;
  /** Multiplies the channels of stem and stages; the products are rounded to multiples of 8. */
  width: number;
  /** Multiplies the layers of each stage; the products are rounded up. */
  depth: number;
  /** `same` for weights that were trained with TensorFlow. */
  padding: PaddingStyle;
  /** `eps` and `momentum` of every batch normalisation. */
  norm: Required<Pick<BatchNorm2dOptions, 'eps' | 'momentum'>>;
  /** Rate of dropout before the last linear layer. */
  dropout: number;
  /** Rate of stochastic depth after the last block; the blocks' rates rise evenly to it. */
  dropPath: number;
}

/** [N, H, W, 3] → logits [N, numClasses]; `features` are stem (stride 2), stages (to stride 32) and a 1×1 convolution. */
export class EfficientNet extends Classifier {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(config: EfficientNetConfig) {
    super(config);
    const { width, depth, padding, norm, numClasses } = config;
    const shared = { padding, norm, activation: silu, init };
    const stages = config.stages.map((stage) => ({
      ...stage,
      channels: makeDivisible(stage.channels * width),
      layers: Math.ceil(stage.layers * depth),
    }));
    const total = stages.reduce((sum, { layers }) => sum + layers, 0);
    const stem = makeDivisible(config.stem * width);
    let [channels, index] = [stem, 0];
    const built = stages.map(({ block, channels: cout, layers, stride, kernel, expand }) => {
      const Block = blocks[block];
      return new Sequential(
        Array.from({ length: layers }, (_, i) => {
          const dropPath = (config.dropPath * index++) / total;
          const made = new Block(channels, cout, { kernel, expand, padding, norm, dropPath, stride: i === 0 ? stride : 1 });
          channels = cout;
          return made;
        }),
      );
    });
    let stride = 2;
    this.stages = pyramid(
      stages.map((s, i) => ({ name: `features.${i + 1}`, stride: (stride *= s.stride), channels: s.channels })),
    );
    const head = config.head ?? 4 * channels;
    this.features = new Sequential([
      new ConvNormAct(3, stem, 3, { ...shared, stride: 2 }),
      ...built,
      new ConvNormAct(channels, head, 1, shared),
    ]);
    this.classifier = new Sequential([
      new Dropout(config.dropout),
      new Linear(head, numClasses, { init: kaimingUniform({ a: Math.sqrt(5), mode: 'out' }), biasInit: zeros }),
    ]);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.features, globalAvgPool, this.classifier);
  }
}
