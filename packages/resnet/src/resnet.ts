// Deep Residual Learning for Image Recognition, He et al. 2015, https://arxiv.org/abs/1512.03385
// ResNeXt: Xie et al. 2016, https://arxiv.org/abs/1611.05431; Wide ResNet: Zagoruyko and Komodakis 2016, https://arxiv.org/abs/1605.07146
// ResNet-D: He et al. 2018, https://arxiv.org/abs/1812.01187; attention in the blocks: see attention.ts
// Reference: torchvision/models/resnet.py (v1.5), whose state-dict names these are; timm's for the `deep` stem and for attention.
import { BatchNorm2d, Classifier, type CommonConfig, Conv2d, type Context, Linear } from '@convkit/core';
import { MaxPool2d, Sequential, globalAvgPool, kaimingNormal, pipe, relu } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { BasicBlock, type BlockOptions, Bottleneck, conv3x3 } from './blocks.js';

const init = kaimingNormal({ mode: 'out' });

/** The first convolution, [N, H, W, 3] → [N, H/2, W/2, 64], at full resolution the small one. */
const stems = {
  imagenet: () => new Conv2d(3, 64, 7, { stride: 2, padding: 3, bias: false, init }),
  deep: () =>
    new Sequential([
      ...[conv3x3(3, 32, 2), new BatchNorm2d(32), relu],
      ...[conv3x3(32, 32), new BatchNorm2d(32), relu],
      conv3x3(32, 64),
    ]),
  small: () => conv3x3(3, 64),
};

const blocks = { basic: BasicBlock, bottleneck: Bottleneck };

export interface ResNetConfig extends CommonConfig, BlockOptions {
  block: keyof typeof blocks;
  /** Blocks in each of the four stages. */
  layers: readonly [number, number, number, number];
  /**
   * `imagenet`: 7×7 stride 2, then max pooling; `deep`: three 3×3 in the place of the 7×7 (ResNet-D); `small`: 3×3 stride 1
   * and no pooling, for images of about 32×32.
   */
  stem: keyof typeof stems;
}

/**
 * Residual network: [N, H, W, 3] → logits [N, numClasses], stages at strides 4, 8, 16, 32 (`small` stem: 1, 2, 4, 8).
 */
export class ResNet extends Classifier {
  readonly conv1: Conv2d | Sequential;
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

    this.conv1 = stems[stem]();
    this.bn1 = new BatchNorm2d(64);
    this.#pool = stem === 'small' ? undefined : new MaxPool2d(3, { stride: 2, padding: 1 });
    this.layer1 = stage(layers[0], 64, 1);
    this.layer2 = stage(layers[1], 128, 2);
    this.layer3 = stage(layers[2], 256, 2);
    this.layer4 = stage(layers[3], 512, 2);
    this.fc = new Linear(channels, numClasses);
    const stride = stem === 'small' ? 1 : 4;
    const widths = [64, 128, 256, 512].map((planes) => planes * Block.expansion);
    this.stages = widths.map((channels, i) => ({ name: `layer${i + 1}`, stride: stride * 2 ** i, channels }));
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const stem = this.#pool ? [this.conv1, this.bn1, relu, this.#pool] : [this.conv1, this.bn1, relu];
    return pipe(ctx, x, ...stem, this.layer1, this.layer2, this.layer3, this.layer4, globalAvgPool, this.fc);
  }
}
