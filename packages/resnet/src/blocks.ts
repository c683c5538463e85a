import { BatchNorm2d, Conv2d, type Context, Module, Sequential, add, kaimingNormal, pipe, relu, zeros } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';

const init = kaimingNormal({ mode: 'out' });

export const conv3x3 = (cin: number, cout: number, stride = 1, groups = 1) =>
  new Conv2d(cin, cout, 3, { stride, padding: 1, groups, bias: false, init });

export const conv1x1 = (cin: number, cout: number, stride = 1) => new Conv2d(cin, cout, 1, { stride, bias: false, init });

/** What all blocks of a net share. */
export interface BlockOptions {
  /** Groups of the 3×3 convolution (ResNeXt's cardinality). */
  groups: number;
  /** Channels of one group in the first stage; the width of the 3×3 is ⌊planes · widthPerGroup / 64⌋ · groups. */
  widthPerGroup: number;
  /** Start each block as the identity: zeros for γ of its last normalisation (Goyal et al. 2017). */
  zeroInitLast: boolean;
}

/** A 1×1 projection where the shape changes, else nothing. */
const projection = (cin: number, cout: number, stride: number) =>
  stride > 1 || cin !== cout ? new Sequential([conv1x1(cin, cout, stride), new BatchNorm2d(cout)]) : undefined;

/** 3×3 → 3×3 plus shortcut: [N, H, W, cin] → [N, H/stride, W/stride, planes]. */
export class BasicBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequential | undefined;

  constructor(cin: number, planes: number, stride: number, { zeroInitLast }: BlockOptions) {
    super();
    this.conv1 = conv3x3(cin, planes, stride);
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new BatchNorm2d(planes, zeroInitLast ? { init: zeros } : {});
    this.downsample = projection(cin, planes, stride);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const y = pipe(ctx, x, this.conv1, this.bn1, relu, this.conv2, this.bn2);
    return relu(add(y, this.downsample?.forward(x, ctx) ?? x));
  }
}

/** 1×1 → 3×3 → 1×1 plus shortcut: [N, H, W, cin] → [N, H/stride, W/stride, 4·planes]. The stride is on the 3×3 (v1.5). */
export class Bottleneck extends Module {
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Sequential | undefined;

  constructor(cin: number, planes: number, stride: number, { groups, widthPerGroup, zeroInitLast }: BlockOptions) {
    super();
    const width = Math.floor((planes * widthPerGroup) / 64) * groups;
    const cout = planes * Bottleneck.expansion;
    this.conv1 = conv1x1(cin, width);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv3x3(width, width, stride, groups);
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = conv1x1(width, cout);
    this.bn3 = new BatchNorm2d(cout, zeroInitLast ? { init: zeros } : {});
    this.downsample = projection(cin, cout, stride);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const y = pipe(ctx, x, this.conv1, this.bn1, relu, this.conv2, this.bn2, relu, this.conv3, this.bn3);
    return relu(add(y, this.downsample?.forward(x, ctx) ?? x));
  }
}
