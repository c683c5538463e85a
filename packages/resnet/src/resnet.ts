// Deep Residual Learning for Image Recognition, He et al. 2015, https://arxiv.org/abs/1512.03385
// ResNeXt: Xie et al. 2016, https://arxiv.org/abs/1611.05431; Wide ResNet: Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146
// Reference: torchvision/models/resnet.py (v1.5), whose state-dict names these are.
import { BatchNorm2d, Classifier, type CommonConfig, Conv2d, type Context, Linear, MaxPool2d, Sequential } from '@convkit/core';
import { globalAvgPool, kaimingNormal, pipe, relu } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { BasicBlock, type BlockOptions, Bottleneck } from './blocks.js';

const blocks = { basic: BasicBlock, bottleneck: Bottleneck };

export interface ResNetConfig extends CommonConfig, BlockOptions {
  block: keyof typeof blocks;
  /** Blocks in each of the four stages. */
  layers: readonly [number, number, number, number];
  /** `imagenet`: 7×7 stride 2, then max pooling; `small`: 3×3 stride 1 and no pooling, for images of about 32×32. */
  stem: 'imagenet' | 'small';
}

/**
 * Residual network: [N, H, W, 3] → logits [N, numClasses], stages at strides 4, 8, 16, 32 (`small` stem: 1, 2, 4, 8).
 */
export class ResNet extends Classifier {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly fc: Linear;
  readonly #pool: MaxPool2d | undefined;

  constructor(config: ResNetConfig) {
    super(config);
    const { layers, stem, numClasses } = config;
    const Block = blocks[config.block];
    let channels = 64;
    const stage = (count: number, planes: number, stride: number) =>
      new Sequential(
        Array.from({ length: count }, (_, i) => {
          const block = new Block(channels, planes, i === 0 ? stride : 1, config);
          channels = planes * Block.expansion;
          return block;
        }),
      );

    const init = kaimingNormal({ mode: 'out' });
    const small = stem === 'small';
    this.conv1 = new Conv2d(3, 64, small ? 3 : 7, { stride: small ? 1 : 2, padding: small ? 1 : 3, bias: false, init });
    this.bn1 = new BatchNorm2d(64);
    this.#pool = small ? undefined : new MaxPool2d(3, { stride: 2, padding: 1 });
    this.layer1 = stage(layers[0], 64, 1);
    this.layer2 = stage(layers[1], 128, 2);
    this.layer3 = stage(layers[2], 256, 2);
    this.layer4 = stage(layers[3], 512, 2);
    this.fc = new Linear(channels, numClasses);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const stem = this.#pool ? [this.conv1, this.bn1, relu, this.#pool] : [this.conv1, this.bn1, relu];
    return pipe(ctx, x, ...stem, this.layer1, this.layer2, this.layer3, this.layer4, globalAvgPool, this.fc);
  }
}
