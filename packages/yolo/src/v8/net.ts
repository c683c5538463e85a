import type { BatchNorm2dOptions, Context, FeatureStage, Module, Stage } from '@convkit/core';
import { concat, pipe, upsample } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { C2f, Conv, NORM, Sppf } from './blocks.js';

/** How a variant scales the one net that they all are. */
export interface Scale {
  /** Times the bottlenecks of a block. */
  readonly depth: number;
  /** Times the channels. */
  readonly width: number;
  /** Channels before scaling never exceed this. */
  readonly maxChannels: number;
}

/** Channels of a layer that has `channels` in the unscaled net; a multiple of 8. */
export const scaled = (channels: number, { width, maxChannels }: Scale): number =>
  Math.ceil((Math.min(channels, maxChannels) * width) / 8) * 8;

const repeatsOf = (count: number, { depth }: Scale): number => Math.max(1, Math.round(count * depth));

/** Maps of one image batch at strides 8, 16 and 32. */
export type Levels<T> = readonly [p3: T, p4: T, p5: T];

/** Layers 0 to 8, alike in all nets: stride 32 in five steps, a C2f after each but the first. */
export class Backbone {
  /** By number in the net. */
  readonly layers: Readonly<Record<string, Module>>;
  /** The maps at strides 4 to 32, as a net with this backbone in `model` names them. */
  readonly stages: readonly FeatureStage[];
  readonly #steps: readonly (readonly Module[])[];

  constructor(scale: Scale, norm: BatchNorm2dOptions = NORM) {
    const width = (channels: number): number => scaled(channels, scale);
    const halve = (cin: number, cout: number): Conv => new Conv(cin, cout, 3, { stride: 2, norm });
    const stage = (channels: number, count: number): C2f =>
      new C2f(channels, channels, { repeats: repeatsOf(count, scale), shortcut: true, norm });
    const [c2, c4, c8, c16, c32] = [64, 128, 256, 512, 1024].map(width);
    const layers = [
      ...[halve(3, c2), halve(c2, c4), stage(c4, 3)],
      ...[halve(c4, c8), stage(c8, 6)],
      ...[halve(c8, c16), stage(c16, 6)],
      ...[halve(c16, c32), stage(c32, 3)],
    ];
    this.layers = Object.fromEntries(layers.entries());
    this.stages = [c4, c8, c16, c32].map((channels, i) => ({ name: `model.${2 * i + 2}`, stride: 4 * 2 ** i, channels }));
    this.#steps = [layers.slice(0, 5), layers.slice(5, 7), layers.slice(7)];
  }

  /** [N, H, W, 3] → maps at strides 8, 16 and 32. */
  run(x: Tensor, ctx: Context): Levels<Tensor> {
    const p3 = pipe(ctx, x, ...this.#steps[0]);
    const p4 = pipe(ctx, p3, ...this.#steps[1]);
    return [p3, p4, pipe(ctx, p4, ...this.#steps[2])];
  }
}

/**
 * Layers 9 to 21: pyramid pooling, then the levels exchange what they know, top down (Lin et al. 2016, arXiv:1612.03144) and bottom
 * up again (Liu et al. 2018, arXiv:1803.01534).
 */
export class Neck {
  readonly layers: Readonly<Record<string, Module>>;
  /** Channels of the maps it gives. */
  readonly channels: Levels<number>;
  readonly #pool: Sppf;
  readonly #down: readonly [p4: C2f, p3: C2f];
  readonly #up: readonly [halve: Conv, join: C2f][];

  constructor(scale: Scale) {
    const [c3, c4, c5] = (this.channels = [scaled(256, scale), scaled(512, scale), scaled(1024, scale)]);
    const join = (cin: number, cout: number): C2f => new C2f(cin, cout, { repeats: repeatsOf(3, scale), shortcut: false });
    const halve = (channels: number): Conv => new Conv(channels, channels, 3, { stride: 2 });
    this.#pool = new Sppf(c5);
    this.#down = [join(c5 + c4, c4), join(c4 + c3, c3)];
    this.#up = [
      [halve(c3), join(c3 + c4, c4)],
      [halve(c4), join(c4 + c5, c5)],
    ];
    const [[halve3, join4], [halve4, join5]] = this.#up;
    // 10 and 13 double the resolution, 11, 14, 17 and 20 join maps: no weights.
    this.layers = { 9: this.#pool, 12: this.#down[0], 15: this.#down[1], 16: halve3, 18: join4, 19: halve4, 21: join5 };
  }

  run([p3, p4, p5]: Levels<Tensor>, ctx: Context): Levels<Tensor> {
    const double = (x: Tensor): Tensor => upsample(x, 2);
    const joined = (x: Tensor, resize: Stage, other: Tensor, join: C2f): Tensor =>
      pipe(ctx, x, resize, (own) => concat([own, other]), join);
    const [[halve3, join4], [halve4, join5]] = this.#up;
    const top5 = pipe(ctx, p5, this.#pool);
    const top4 = joined(top5, double, p4, this.#down[0]);
    const out3 = joined(top4, double, p3, this.#down[1]);
    const out4 = joined(out3, halve3, top4, join4);
    return [out3, out4, joined(out4, halve4, top5, join5)];
  }
}
