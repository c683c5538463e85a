import { AvgPool2d, BatchNorm2d, Conv2d, type Context, Module, Sequential, type Stage } from '@convkit/core';
import { add, kaimingNormal, pipe, relu, zeros } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { type Attention, attentionOf } from './attention.js';

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
  /** At the end of each residual branch; default: none. */
  attention?: Attention;
  /** What brings a shortcut to a lower resolution: the stride of its 1×1 convolution, which sees a quarter of the pixels, or their mean (ResNet-D). */
  shortcut: 'stride' | 'mean';
}

/** A 1×1 projection where the shape changes, else nothing. */
function projection(cin: number, cout: number, stride: number, { shortcut }: BlockOptions): Sequential | undefined {
  if (stride === 1 && cin === cout) return undefined;
  if (shortcut === 'stride') return new Sequential([conv1x1(cin, cout, stride), new BatchNorm2d(cout)]);
  const pool: Stage = stride === 1 ? (x) => x : new AvgPool2d(2, { stride, ceilMode: true, countIncludePad: false });
  return new Sequential([pool, conv1x1(cin, cout), new BatchNorm2d(cout)]);
}

/** 3×3 → 3×3 plus shortcut: [N, H, W, cin] → [N, H/stride, W/stride, planes]. */
export class BasicBlock extends Module {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly se: Module | undefined;
  readonly downsample: Sequential | undefined;

  constructor(cin: number, planes: number, stride: number, options: BlockOptions) {
    super();
    const { zeroInitLast, attention } = options;
    this.conv1 = conv3x3(cin, planes, stride);
    this.bn1 = new BatchNorm2d(planes);
    this.conv2 = conv3x3(planes, planes);
    this.bn2 = new BatchNorm2d(planes, zeroInitLast ? { init: zeros } : {});
    this.se = attention && attentionOf(attention, planes);
    this.downsample = projection(cin, planes, stride, options);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const y = pipe(ctx, x, this.conv1, this.bn1, relu, this.conv2, this.bn2, ...(this.se ? [this.se] : []));
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
  readonly se: Module | undefined;
  readonly downsample: Sequential | undefined;

  constructor(cin: number, planes: number, stride: number, options: BlockOptions) {
    super();
    const { groups, widthPerGroup, zeroInitLast, attention } = options;
    const width = Math.floor((planes * widthPerGroup) / 64) * groups;
    const cout = planes * Bottleneck.expansion;
    this.conv1 = conv1x1(cin, width);
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = conv3x3(width, width, stride, groups);
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = conv1x1(width, cout);
    this.bn3 = new BatchNorm2d(cout, zeroInitLast ? { init: zeros } : {});
    this.se = attention && attentionOf(attention, cout);
    this.downsample = projection(cin, cout, stride, options);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const { conv1, bn1, conv2, bn2, conv3, bn3, se } = this;
    const y = pipe(ctx, x, conv1, bn1, relu, conv2, bn2, relu, conv3, bn3, ...(se ? [se] : []));
    return relu(add(y, this.downsample?.forward(x, ctx) ?? x));
  }
}
