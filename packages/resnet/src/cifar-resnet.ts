// The ResNets for CIFAR of He et al. 2015, section 4.2, https://arxiv.org/abs/1512.03385
// Reference: https://github.com/akamaster/pytorch_resnet_cifar10, whose state-dict names these are.
import { BatchNorm2d, Classifier, type CommonConfig, type Conv2d, type Context, Linear, Module, Sequential } from '@convkit/core';
import { ArgumentError, add, globalAvgPool, kaimingNormal, padChannels, pipe, relu, subsample } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { conv1x1, conv3x3 } from './blocks.js';

/** `A`: every second pixel, new channels zero, no weights (the paper's choice on CIFAR); `B`: a 1×1 projection. */
export type Shortcut = 'A' | 'B';

export interface CifarResNetConfig extends CommonConfig {
  /** 6n + 2 layers: n blocks in each of the three stages. */
  depth: number;
  /** Channels of the first stage; the next two have twice and four times as many. */
  width: number;
  shortcut: Shortcut;
}

/** 3×3 → 3×3 plus shortcut: [N, H, W, cin] → [N, H/stride, W/stride, cout]. */
export class CifarBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly shortcut: Sequential;

  constructor(cin: number, cout: number, stride: number, shortcut: Shortcut) {
    super();
    const missing = cout - cin;
    this.conv1 = conv3x3(cin, cout, stride);
    this.bn1 = new BatchNorm2d(cout);
    this.conv2 = conv3x3(cout, cout);
    this.bn2 = new BatchNorm2d(cout);
    if (stride === 1 && missing === 0) this.shortcut = new Sequential([]);
    else if (shortcut === 'B') this.shortcut = new Sequential([conv1x1(cin, cout, stride), new BatchNorm2d(cout)]);
    else this.shortcut = new Sequential([(x) => padChannels(subsample(x, stride), missing >> 1, missing - (missing >> 1))]);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const y = pipe(ctx, x, this.conv1, this.bn1, relu, this.conv2, this.bn2);
    return relu(add(y, this.shortcut.forward(x, ctx)));
  }
}

/** Residual network for images of about 32×32: [N, H, W, 3] → logits [N, numClasses], stages at strides 1, 2, 4. */
export class CifarResNet extends Classifier {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly linear: Linear;

  constructor(config: CifarResNetConfig) {
    super(config);
    const { depth, width, shortcut, numClasses } = config;
    const n = (depth - 2) / 6;
    if (!Number.isInteger(n) || n < 1) {
      throw new ArgumentError(`A CIFAR ResNet has 6n + 2 layers (8, 14, 20, 32, 44, 56, 110 …), found depth ${depth}.`);
    }
    const stage = (cin: number, cout: number, stride: number) =>
      new Sequential(Array.from({ length: n }, (_, i) => new CifarBlock(i ? cout : cin, cout, i ? 1 : stride, shortcut)));

    this.conv1 = conv3x3(3, width);
    this.bn1 = new BatchNorm2d(width);
    this.layer1 = stage(width, width, 1);
    this.layer2 = stage(width, 2 * width, 2);
    this.layer3 = stage(2 * width, 4 * width, 2);
    this.stages = [1, 2, 4].map((times, i) => ({ name: `layer${i + 1}`, stride: times, channels: times * width }));
    this.linear = new Linear(4 * width, numClasses, { init: kaimingNormal() });
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv1, this.bn1, relu, this.layer1, this.layer2, this.layer3, globalAvgPool, this.linear);
  }
}
