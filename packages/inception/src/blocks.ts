import {
  BatchNorm2d,
  type BatchNorm2dOptions,
  Conv2d,
  type Conv2dOptions,
  type Context,
  Module,
  Sequential,
} from '@convkit/core';
import { type Pair, type Stage, add, concat, isModule, mul, pipe, relu } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';

export interface BasicConv2dOptions extends Omit<Conv2dOptions, 'padding'> {
  /** Default: as much as keeps the size at stride 1. */
  padding?: Pair;
  /** Default eps: 1e-3, TensorFlow's. */
  norm?: BatchNorm2dOptions;
}

/** Convolution, batch normalisation, ReLU: [N, H, W, cin] → [N, H', W', cout]. */
export class BasicConv2d extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(cin: number, cout: number, kernel: Pair, { norm = { eps: 1e-3 }, ...options }: BasicConv2dOptions = {}) {
    super();
    const [kernels, dilations] = [kernel, options.dilation ?? 1].map((p) => (typeof p === 'number' ? [p, p] : p));
    const padding = options.padding ?? ([0, 1].map((i) => ((kernels[i] - 1) >> 1) * dilations[i]) as [number, number]);
    this.conv = new Conv2d(cin, cout, kernel, { bias: false, ...options, padding });
    this.bn = new BatchNorm2d(cout, norm);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv, this.bn, relu);
  }
}

/** Makes the convolutions of a net, with its initial values and normalisation. */
export type MakeConv = (cin: number, cout: number, kernel: Pair, options?: BasicConv2dOptions) => BasicConv2d;

/**
 * Branches side by side on one input, their channels joined: [N, H, W, cin] → [N, H', W', Σ cout]. A branch of several stages
 * is numbered as in `Sequential`: `branch2.0`, `branch2.1`.
 */
export class Branches extends Module {
  readonly #branches: readonly [name: string, branch: Stage][];

  constructor(branches: Readonly<Record<string, Stage | readonly Stage[]>>) {
    super();
    this.#branches = Object.entries(branches).map(([name, branch]) => [
      name,
      typeof branch === 'function' || isModule(branch) ? branch : new Sequential(branch),
    ]);
  }

  override parts(): [string, Module][] {
    return this.#branches.flatMap(([name, branch]): [string, Module][] => {
      if (branch instanceof Chain) return branch.named(name);
      return isModule(branch) ? [[name, branch]] : [];
    });
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return concat(this.#branches.map(([, branch]) => pipe(ctx, x, branch)));
  }
}

/** A branch with TensorFlow's flat names: `branch3x3dbl_1`, `branch3x3dbl_2` …; the halves of a fork are `…_3a` and `…_3b`. */
export class Chain extends Sequential {
  readonly #first: number;

  constructor(stages: readonly Stage[], { first = 1 } = {}) {
    super(stages);
    this.#first = first;
  }

  /** The convolutions under the branch's name, which a single one has for itself. */
  named(branch: string): [string, Module][] {
    const withState = this.parts().filter(([, stage]) => !stage.state().next().done);
    return withState.flatMap(([, stage], i): [string, Module][] => {
      const name = withState.length === 1 ? branch : `${branch}_${i + this.#first}`;
      return stage instanceof Branches ? stage.parts().map(([half, conv]) => [name + half, conv]) : [[name, stage]];
    });
  }
}

/** Two convolutions that look at the same input. */
export const fork = (a: Stage, b: Stage) => new Branches({ a, b });

/** ReLU(x + scale · 1×1(branches)): the residual block of the Inception-ResNets, [N, H, W, C] → [N, H, W, C]. */
export class ResidualBranches extends Branches {
  readonly #conv2d: Conv2d;
  readonly #scale: number;
  readonly #activation: (x: Tensor) => Tensor;

  /** `width` is the number of channels of all branches together. */
  constructor(
    branches: Readonly<Record<string, Stage | readonly Stage[]>>,
    { channels, width, scale, activation = relu }: ResidualOptions,
  ) {
    super(branches);
    this.#conv2d = new Conv2d(width, channels, 1);
    this.#scale = scale;
    this.#activation = activation;
  }

  override parts(): [string, Module][] {
    return [...super.parts(), ['conv2d', this.#conv2d]];
  }

  override forward(x: Tensor, ctx: Context): Tensor {
    const y = this.#conv2d.forward(super.forward(x, ctx));
    return this.#activation(add(x, this.#scale === 1 ? y : mul(y, this.#scale)));
  }
}

export interface ResidualOptions {
  channels: number;
  width: number;
  scale: number;
  activation?: (x: Tensor) => Tensor;
}

/** The nets' input from an image that was normalised with ImageNet's mean and deviation: torchvision's `transform_input`. */
export const transformInput = { scale: [0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5], offset: [-0.03, -0.088, -0.188] } as const;
