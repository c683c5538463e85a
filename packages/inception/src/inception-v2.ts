// Batch Normalization: Accelerating Deep Network Training, Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167, figure 5
// Reference: Cadene/pretrained-models.pytorch, bninception.py (from Caffe), whose flat state-dict names these are.
import type { Module } from '@convkit/core';
import {
  ArgumentError,
  type BatchNorm2d,
  Classifier,
  type CommonConfig,
  type Context,
  type Conv2d,
  type FeatureStage,
  Linear,
  MaxPool2d,
} from '@convkit/core';
import { globalAvgPool, pipe, pyramid, reverseChannels } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { BasicConv2d, type MakeConv } from './blocks.js';
import { type Branch, InceptionModule } from './inception-module.js';

export interface InceptionV2Config extends CommonConfig {
  /** The Inception modules by name, `3a` …; those with stride 2 end a stage. The names allow one branch of each type. */
  modules: Readonly<Record<string, readonly Branch[]>>;
  /** The net takes blue, green, red, as Caffe's weights do; its input stays red, green, blue. */
  bgr: boolean;
}

const conv: MakeConv = (cin, cout, kernel, options) => new BasicConv2d(cin, cout, kernel, { bias: true, norm: {}, ...options });

/** What the convolutions of a branch are called. */
const suffixes: Readonly<Record<Branch['type'], readonly string[]>> = {
  '1x1': ['1x1'],
  '3x3': ['3x3_reduce', '3x3'],
  '5x5': ['5x5_reduce', '5x5'],
  double3x3: ['double_3x3_reduce', 'double_3x3_1', 'double_3x3_2'],
  dilated3x3: ['dilated_3x3_reduce', 'dilated_3x3'],
  factorised: ['factorised_reduce', 'factorised_1', 'factorised_2'],
  pool: ['pool_proj'],
};

/** BN-Inception: [N, H, W, 3] → logits [N, numClasses]; 3a starts at stride 8, 3c and 4e halve the size. */
export class InceptionV2 extends Classifier {
  readonly #stem: readonly [BasicConv2d, BasicConv2d, BasicConv2d];
  readonly #modules: readonly [name: string, module: InceptionModule][];
  readonly #lastLinear: Linear;
  readonly #units: readonly [name: string, unit: BasicConv2d][];
  readonly #pool = new MaxPool2d(3, { stride: 2, ceilMode: true });
  readonly #bgr: boolean;

  constructor({ modules, bgr, ...config }: InceptionV2Config) {
    super(config);
    let [channels, stride] = [192, 8];
    const outputs: FeatureStage[] = [];
    this.#stem = [conv(3, 64, 7, { stride: 2 }), conv(64, 64, 1), conv(64, 192, 3)];
    this.#modules = Object.entries(modules).map(([key, branches]) => {
      const module = new InceptionModule(channels, branches, { conv });
      const name = `inception_${key}`;
      channels = module.channels;
      stride *= Math.max(...branches.map((branch) => ('stride' in branch ? (branch.stride ?? 1) : 1)));
      outputs.push({ name, stride, channels });
      return [name, module];
    });
    this.stages = pyramid(outputs);
    this.#lastLinear = new Linear(channels, config.numClasses);
    this.#bgr = bgr;

    const names = Object.entries(modules).flatMap(([key, branches]) =>
      branches.flatMap((branch) => {
        const pooledOnly = branch.type === 'pool' && branch.channels === undefined;
        return pooledOnly ? [] : suffixes[branch.type].map((suffix) => `inception_${key}_${suffix}`);
      }),
    );
    const all = ['conv1_7x7_s2', 'conv2_3x3_reduce', 'conv2_3x3', ...names];
    const twice = all.find((name, i) => all.indexOf(name) !== i);
    if (twice) throw new ArgumentError(`A module of Inception v2 has one branch of each type, but two give ${twice}.`);
    const units = [...this.#stem, ...this.#modules.flatMap(([, module]) => convolutions(module))];
    this.#units = all.map((name, i) => [name, units[i]]);
  }

  /** Convolution and normalisation stand side by side, as in the checkpoint: `conv1_7x7_s2`, `conv1_7x7_s2_bn`. */
  override parts(): [string, Module][] {
    const units = this.#units.flatMap(([name, { conv, bn }]): [string, Conv2d | BatchNorm2d][] => [
      [name, conv],
      [`${name}_bn`, bn],
    ]);
    return [...units, ['last_linear', this.#lastLinear]];
  }

  /** The Inception modules come last: their parts have names of their own already. */
  override *modules(prefix = ''): Generator<[name: string, module: Module<unknown>]> {
    yield* super.modules(prefix);
    for (const [name, module] of this.#modules) yield [prefix === '' ? name : `${prefix}.${name}`, module];
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const [conv1, reduce, conv2] = this.#stem;
    const features = [conv1, this.#pool, reduce, conv2, this.#pool, ...this.#modules.map(([, module]) => module)];
    return pipe(ctx, this.#bgr ? reverseChannels(x) : x, ...features, globalAvgPool, this.#lastLinear);
  }
}

function convolutions(module: InceptionModule): BasicConv2d[] {
  return [...module.modules()].map(([, part]) => part).filter((part) => part instanceof BasicConv2d);
}
