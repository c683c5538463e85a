import { Conv2d, type Context, ConvTranspose2d, Module, Sequential } from '@convkit/core';
import { concat, constant, pipe, reshape, sigmoid } from '@convkit/core';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { Conv, Group, ModuleList } from './blocks.js';
import { Dfl, decodeBoxes, decodeKeypoints } from './decode.js';
import type { Levels } from './net.js';
import { BINS, STRIDES, type YoloV8Output } from './output.js';

/** The published starting value of the boxes' bias. */
const BOX_BIAS = 1;

/** The starting value of a class's bias: five objects of all classes in an image of 640 × 640. */
const classBias = (numClasses: number, stride: number): number => Math.log(5 / numClasses / (640 / stride) ** 2);

/** 3×3 → 3×3 → 1×1 on each level: C → `middle` → `cout` channels. */
class Branches extends ModuleList {
  readonly #levels: readonly Sequential[];

  constructor(channels: Levels<number>, middle: number, cout: number, bias?: (level: number) => number) {
    const levels = channels.map((cin, i) => {
      const last = new Conv2d(middle, cout, 1, bias ? { biasInit: constant(bias(i)) } : {});
      return new Sequential([new Conv(cin, middle, 3), new Conv(middle, middle, 3), last]);
    });
    super(levels);
    this.#levels = levels;
  }

  /** Maps [N, h, w, C] of all levels → [N, A, cout]. */
  run(maps: Levels<Tensor>, ctx: Context): Tensor3D {
    const each = this.#levels.map((level, i) => {
      const [n, height, width] = maps[i].shape as [number, number, number];
      return pipe(ctx, maps[i], level, (y) => reshape(y, [n, height * width, y.shape[3]!]));
    });
    return concat(each, 1) as Tensor3D;
  }
}

/** Boxes and classes: `cv2` and `cv3` look at each level, without anchors and without objectness. */
export class Detect extends Group {
  readonly cv2: Branches;
  cv3: Branches;
  readonly dfl = new Dfl();
  readonly #channels: Levels<number>;

  constructor(channels: Levels<number>, numClasses: number) {
    super();
    this.#channels = channels;
    this.cv2 = new Branches(channels, Math.max(64, channels[0] / 4), 4 * BINS, () => BOX_BIAS);
    this.cv3 = this.#classBranches(numClasses);
  }

  /** Gives the class branches another number of outputs. The old weights are freed; the new ones are not set yet. */
  resize(numClasses: number): void {
    this.cv3.dispose();
    this.cv3 = this.#classBranches(numClasses);
  }

  /** Maps at strides 8, 16 and 32 → what they say of an input of `size`. */
  run(maps: Levels<Tensor>, size: readonly [number, number], ctx: Context): YoloV8Output {
    const distances = this.cv2.run(maps, ctx);
    const classes = this.cv3.run(maps, ctx);
    const boxes = decodeBoxes(this.dfl.forward(distances, ctx), size);
    return { boxes, scores: sigmoid(classes) as Tensor3D, raw: { distances, classes } };
  }

  #classBranches(numClasses: number): Branches {
    const middle = Math.max(this.#channels[0], Math.min(numClasses, 100));
    return new Branches(this.#channels, middle, numClasses, (level) => classBias(numClasses, STRIDES[level]));
  }
}

const PROTOTYPES = 32;

/** Prototype masks: [N, H, W, cin] → [N, 2H, 2W, cout]. */
class Proto extends Module {
  readonly cv1: Conv;
  readonly upsample: ConvTranspose2d;
  readonly cv2: Conv;
  readonly cv3: Conv;

  constructor(cin: number, middle: number, cout: number) {
    super();
    this.cv1 = new Conv(cin, middle, 3);
    this.upsample = new ConvTranspose2d(middle, middle, 2, { stride: 2 });
    this.cv2 = new Conv(middle, middle, 3);
    this.cv3 = new Conv(middle, cout, 1);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.cv1, this.upsample, this.cv2, this.cv3);
  }
}

/** Masks as in YOLACT (Bolya et al. 2019, https://arxiv.org/abs/1904.02689): prototypes, and coefficients for each anchor. */
export class Segment extends Detect {
  readonly proto: Proto;
  readonly cv4: Branches;

  constructor(channels: Levels<number>, numClasses: number, protoChannels: number) {
    super(channels, numClasses);
    this.proto = new Proto(channels[0], protoChannels, PROTOTYPES);
    this.cv4 = new Branches(channels, Math.max(channels[0] / 4, PROTOTYPES), PROTOTYPES);
  }

  override run(maps: Levels<Tensor>, size: readonly [number, number], ctx: Context): YoloV8Output {
    const prototypes = pipe(ctx, maps[0], this.proto) as Tensor4D;
    return { ...super.run(maps, size, ctx), coefficients: this.cv4.run(maps, ctx), prototypes };
  }
}

/** `keypoints` body joints for each anchor. */
export class Pose extends Detect {
  readonly cv4: Branches;

  constructor(channels: Levels<number>, numClasses: number, keypoints: number) {
    super(channels, numClasses);
    this.cv4 = new Branches(channels, Math.max(channels[0] / 4, 3 * keypoints), 3 * keypoints);
  }

  override run(maps: Levels<Tensor>, size: readonly [number, number], ctx: Context): YoloV8Output {
    const output = super.run(maps, size, ctx);
    const keypoints = this.cv4.run(maps, ctx);
    return { ...output, keypoints: decodeKeypoints(keypoints, size), raw: { ...output.raw, keypoints } };
  }
}
