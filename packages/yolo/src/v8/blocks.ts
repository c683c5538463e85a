// Blocks of YOLOv8 (Jocher et al. 2023, no paper). Its names and shapes are the published ones; C2f is a cross stage partial block
// (Wang et al. 2019, https://arxiv.org/abs/1911.11929), SPPF spatial pyramid pooling (He et al. 2014, https://arxiv.org/abs/1406.4729).
import { BatchNorm2d, type BatchNorm2dOptions, Conv2d, type Context, ConvkitError, MaxPool2d, Module } from '@convkit/core';
import { add, concat, pipe, silu, sliceChannels } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Normalisation of the nets for detection; those for classification keep PyTorch's defaults. */
export const NORM: BatchNorm2dOptions = { eps: 1e-3, momentum: 0.03 };

/** Modules whose holder says how they are run: there is no forward pass of their own. */
export abstract class Group extends Module<never> {
  forward(): never {
    throw new ConvkitError('This part of the net has several inputs: it runs as a part of the net only.');
  }
}

/** Modules named 0, 1, 2 …, or by the keys of a record, as `torch.nn.ModuleList`. */
export class ModuleList extends Group {
  readonly #modules: Readonly<Record<string, Module<unknown>>>;

  constructor(modules: readonly Module<unknown>[] | Readonly<Record<string, Module<unknown>>>) {
    super();
    this.#modules = Object.fromEntries(Object.entries(modules));
  }

  override parts(): [name: string, module: Module<unknown>][] {
    return Object.entries(this.#modules);
  }
}

/** Convolution without bias, batch normalisation, SiLU: [N, H, W, cin] → [N, H/stride, W/stride, cout]. */
export class Conv extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(cin: number, cout: number, kernel: 1 | 3, { stride = 1, norm = NORM } = {}) {
    super();
    this.conv = new Conv2d(cin, cout, kernel, { stride, padding: 'symmetric', bias: false });
    this.bn = new BatchNorm2d(cout, norm);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv, this.bn, silu);
  }
}

/** 3×3 → 3×3, with or without shortcut: [N, H, W, C] → [N, H, W, C]. */
export class Bottleneck extends Module {
  readonly cv1: Conv;
  readonly cv2: Conv;
  readonly #shortcut: boolean;

  constructor(channels: number, shortcut: boolean, norm = NORM) {
    super();
    this.cv1 = new Conv(channels, channels, 3, { norm });
    this.cv2 = new Conv(channels, channels, 3, { norm });
    this.#shortcut = shortcut;
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const y = pipe(ctx, x, this.cv1, this.cv2);
    return this.#shortcut ? add(x, y) : y;
  }
}

export interface C2fOptions {
  /** Bottlenecks in a row. */
  repeats: number;
  /** Do the bottlenecks have shortcuts? */
  shortcut: boolean;
  norm?: BatchNorm2dOptions;
}

/**
 * A 1×1 convolution whose second half goes through bottlenecks; both halves and the output of each bottleneck are joined by another
 * 1×1 convolution: [N, H, W, cin] → [N, H, W, cout].
 */
export class C2f extends Module {
  readonly cv1: Conv;
  readonly cv2: Conv;
  readonly m: ModuleList;
  readonly #bottlenecks: readonly Bottleneck[];
  readonly #half: number;

  constructor(cin: number, cout: number, { repeats, shortcut, norm = NORM }: C2fOptions) {
    super();
    const half = (this.#half = cout / 2);
    this.cv1 = new Conv(cin, 2 * half, 1, { norm });
    this.cv2 = new Conv((2 + repeats) * half, cout, 1, { norm });
    this.#bottlenecks = Array.from({ length: repeats }, () => new Bottleneck(half, shortcut, norm));
    this.m = new ModuleList(this.#bottlenecks);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const both = this.cv1.forward(x, ctx);
    const joined = [both];
    let last = sliceChannels(both, this.#half, this.#half);
    for (const bottleneck of this.#bottlenecks) joined.push((last = pipe(ctx, last, bottleneck)));
    return pipe(ctx, concat(joined), this.cv2);
  }
}

/** Max pooling of 5×5 once, twice and three times, beside the input, between 1×1 convolutions: [N, H, W, C] → [N, H, W, C]. */
export class Sppf extends Module {
  readonly cv1: Conv;
  readonly cv2: Conv;
  readonly #pool = new MaxPool2d(5, { stride: 1, padding: 2 });

  constructor(channels: number) {
    super();
    this.cv1 = new Conv(channels, channels / 2, 1);
    this.cv2 = new Conv(channels * 2, channels, 1);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const pooled = [this.cv1.forward(x, ctx)];
    for (let i = 0; i < 3; i++) pooled.push(this.#pool.forward(pooled[i]));
    return pipe(ctx, concat(pooled), this.cv2);
  }
}
