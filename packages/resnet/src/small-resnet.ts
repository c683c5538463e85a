// The ResNet of three blocks that "Deep Learning via Rust", section 6.1, trains on CIFAR-10. Against the book's listing: the 3×3
// convolutions are padded (without, the shortcut's shape does not meet the block's), the projection is normalised, and a
// ReLU follows the addition, as in He et al. 2015, https://arxiv.org/abs/1512.03385
import { BatchNorm2d, Classifier, type CommonConfig, type Context, type Conv2d, Linear, MaxPool2d } from '@convkit/core';
import { globalAvgPool, pipe, relu } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { conv3x3 } from './blocks.js';
import { CifarBlock } from './cifar-resnet.js';

/** [N, H, W, 3] → logits [N, numClasses]; the blocks run at half the input's resolution. */
export class SmallResNet extends Classifier {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: CifarBlock;
  readonly layer2: CifarBlock;
  readonly layer3: CifarBlock;
  readonly fc: Linear;
  readonly #pool = new MaxPool2d(2);

  constructor(config: CommonConfig) {
    super(config);
    this.conv1 = conv3x3(3, 64);
    this.bn1 = new BatchNorm2d(64);
    this.layer1 = new CifarBlock(64, 64, 1, 'B');
    this.layer2 = new CifarBlock(64, 128, 1, 'B');
    this.layer3 = new CifarBlock(128, 256, 1, 'B');
    this.stages = [64, 128, 256].map((channels, i) => ({ name: `layer${i + 1}`, stride: 2, channels }));
    this.fc = new Linear(256, config.numClasses);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const blocks = [this.layer1, this.layer2, this.layer3];
    return pipe(ctx, x, this.conv1, this.bn1, relu, this.#pool, ...blocks, globalAvgPool, this.fc);
  }
}
