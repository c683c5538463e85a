// MobileNetV4: Universal Models for the Mobile Ecosystem, Qin et al. 2024, https://arxiv.org/abs/2404.10518
// Reference: timm/models/mobilenetv3.py (mobilenetv4_*), whose state-dict names these are.
import { AdaptiveAvgPool2d, BatchNorm2d, Classifier, type Context, type Conv2d, Dropout } from '@convkit/core';
import { type Linear, type Module, Sequential, flatten, gelu, makeDivisible, pipe, pyramid, relu } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { AttentionBlock, type AttentionOptions, type BlockOptions, ConvBlock, type DepthwiseKernels } from './blocks-v4.js';
import { FusedInvertedBottleneck, UniversalInvertedBottleneck } from './blocks-v4.js';
import type { MobileNetConfig } from './config.js';
import { conv, linear } from './timm.js';

const activations = { relu, gelu };

export type MobileNetV4Block =
  | { kind: 'conv'; kernel: 1 | 3; channels: number }
  | { kind: 'fused'; expand: number }
  | { kind: 'bottleneck'; expand: number; kernels: DepthwiseKernels }
  | ({ kind: 'attention' } & AttentionOptions);

export interface MobileNetV4Stage {
  channels: number;
  /** Of the first block. */
  stride: 1 | 2;
  blocks: readonly MobileNetV4Block[];
}

export interface MobileNetV4Config extends MobileNetConfig {
  stem: number;
  stages: readonly MobileNetV4Stage[];
  /** Features of the classifier; `width` leaves them as they are. */
  head: number;
  activation: keyof typeof activations;
  /** Starting value of the layer scales; undefined: none. */
  layerScale: number | undefined;
  /** Rate of stochastic depth of the last block; the others' rise evenly to it. */
  dropPath: number;
}

/** [N, H, W, 3] → logits [N, numClasses]; stages at strides 4, 8, 16, 32, 32. */
export class MobileNetV4 extends Classifier {
  readonly conv_stem: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly blocks: Sequential;
  readonly conv_head: Conv2d;
  readonly norm_head: BatchNorm2d;
  readonly classifier: Linear;
  readonly #activation;
  readonly #pool = new AdaptiveAvgPool2d(1);
  readonly #dropout: Dropout;

  constructor(config: MobileNetV4Config) {
    super(config);
    const { stages, width, padding, norm, head, numClasses } = config;
    const round = (channels: number) => makeDivisible(channels * width);
    const stem = width < 1 ? config.stem : round(config.stem); // a thinner net keeps its stem
    const total = stages.reduce((sum, { blocks }) => sum + blocks.length, 0);
    let [channels, index] = [stem, 0];
    const add = (block: MobileNetV4Block, stride: number, stage: number): Module => {
      const cout = round(block.kind === 'conv' ? block.channels : stage);
      const dropPath = (config.dropPath * index++) / total;
      const made = build(block, channels, cout, stride, { ...config, activation: this.#activation, dropPath });
      channels = cout;
      return made;
    };

    this.#activation = activations[config.activation];
    this.#dropout = new Dropout(config.dropout);
    this.conv_stem = conv(3, stem, 3, { stride: 2, padding });
    this.bn1 = new BatchNorm2d(stem, norm);
    this.blocks = new Sequential(
      stages.map((stage) => new Sequential(stage.blocks.map((b, i) => add(b, i === 0 ? stage.stride : 1, stage.channels)))),
    );
    let stride = 2;
    this.stages = pyramid(
      stages.map((s, i) => ({ name: `blocks.${i}`, stride: (stride *= s.stride), channels: round(s.channels) })),
    );
    this.conv_head = conv(channels, head, 1, {});
    this.norm_head = new BatchNorm2d(head, norm);
    this.classifier = linear(head, numClasses);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const features = [this.conv_stem, this.bn1, this.#activation, this.blocks];
    const head = [this.conv_head, this.norm_head, this.#activation, flatten, this.#dropout, this.classifier];
    return pipe(ctx, x, ...features, this.#pool, ...head);
  }
}

function build(block: MobileNetV4Block, cin: number, cout: number, stride: number, options: BlockOptions): Module {
  switch (block.kind) {
    case 'conv':
      return new ConvBlock(cin, cout, block.kernel, stride, options);
    case 'fused':
      return new FusedInvertedBottleneck(cin, cout, block.expand, stride, options);
    case 'bottleneck':
      return new UniversalInvertedBottleneck(cin, cout, block.expand, stride, block.kernels, options);
    case 'attention':
      return new AttentionBlock(cin, block, options);
  }
}
