// Going Deeper with Convolutions, Szegedy et al. 2014, https://arxiv.org/abs/1409.4842
// Reference: torchvision/models/googlenet.py, with batch normalisation, whose state-dict names these are.
import {
  AdaptiveAvgPool2d,
  Classifier,
  type CommonConfig,
  type Context,
  Dropout,
  Linear,
  MaxPool2d,
  Module,
} from '@convkit/core';
import { affine, flatten, globalAvgPool, pipe, relu, truncNormal } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { BasicConv2d, type MakeConv, transformInput } from './blocks.js';
import { type Branch, InceptionModule } from './inception-module.js';

export interface GoogLeNetConfig extends CommonConfig {
  /** The nine Inception modules. */
  modules: Readonly<Record<'3a' | '3b' | '4a' | '4b' | '4c' | '4d' | '4e' | '5a' | '5b', readonly Branch[]>>;
  /** Two more heads, after 4a and 4d, whose losses count 0.3 each in training. */
  auxiliary: boolean;
  dropout: number;
  auxiliaryDropout: number;
  /** For images normalised with ImageNet's mean and deviation in place of 0.5 and 0.5. */
  transformInput: boolean;
}

const init = truncNormal({ std: 0.01 });
const conv: MakeConv = (cin, cout, kernel, options) => new BasicConv2d(cin, cout, kernel, { init, ...options });

/** Features [N, H, W, cin] of a middle stage → logits [N, numClasses]. */
export class GoogLeNetAux extends Module {
  readonly conv: BasicConv2d;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly #pool = new AdaptiveAvgPool2d(4);
  readonly #dropout: Dropout;

  constructor(cin: number, numClasses: number, dropout: number) {
    super();
    this.conv = conv(cin, 128, 1);
    this.fc1 = new Linear(4 * 4 * 128, 1024, { init });
    this.fc2 = new Linear(1024, numClasses, { init });
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.#pool, this.conv, flatten, this.fc1, relu, this.#dropout, this.fc2);
  }
}

/** Inception v1: [N, H, W, 3] → logits [N, numClasses]; modules 3, 4 and 5 work at strides 8, 16 and 32. */
export class GoogLeNet extends Classifier {
  readonly conv1 = conv(3, 64, 7, { stride: 2 });
  readonly conv2 = conv(64, 64, 1);
  readonly conv3 = conv(64, 192, 3);
  readonly inception3a: InceptionModule;
  readonly inception3b: InceptionModule;
  readonly inception4a: InceptionModule;
  readonly inception4b: InceptionModule;
  readonly inception4c: InceptionModule;
  readonly inception4d: InceptionModule;
  readonly inception4e: InceptionModule;
  readonly inception5a: InceptionModule;
  readonly inception5b: InceptionModule;
  readonly aux1: GoogLeNetAux | undefined;
  readonly aux2: GoogLeNetAux | undefined;
  readonly fc: Linear;
  readonly #pool3 = new MaxPool2d(3, { stride: 2, ceilMode: true });
  readonly #pool2 = new MaxPool2d(2, { stride: 2, ceilMode: true });
  readonly #dropout: Dropout;
  readonly #transform: boolean;

  constructor(config: GoogLeNetConfig) {
    super(config);
    const { modules, auxiliary, dropout, auxiliaryDropout, numClasses } = config;
    let channels = 192;
    const inception = (branches: readonly Branch[]) => {
      const module = new InceptionModule(channels, branches, { conv });
      channels = module.channels;
      return module;
    };
    this.inception3a = inception(modules['3a']);
    this.inception3b = inception(modules['3b']);
    this.inception4a = inception(modules['4a']);
    this.inception4b = inception(modules['4b']);
    this.inception4c = inception(modules['4c']);
    this.inception4d = inception(modules['4d']);
    this.inception4e = inception(modules['4e']);
    this.inception5a = inception(modules['5a']);
    this.inception5b = inception(modules['5b']);
    const head = ({ channels: cin }: InceptionModule) => new GoogLeNetAux(cin, numClasses, auxiliaryDropout);
    this.aux1 = auxiliary ? head(this.inception4a) : undefined;
    this.aux2 = auxiliary ? head(this.inception4d) : undefined;
    this.#dropout = new Dropout(dropout);
    this.fc = new Linear(channels, numClasses, { init });
    this.#transform = config.transformInput;
    this.stages = [
      { name: 'conv1', stride: 2, channels: 64 },
      { name: 'conv3', stride: 4, channels: 192 },
      { name: 'inception3b', stride: 8, channels: this.inception3b.channels },
      { name: 'inception4e', stride: 16, channels: this.inception4e.channels },
      { name: 'inception5b', stride: 32, channels },
    ];
  }

  override get heads(): readonly string[] {
    return this.aux1 ? ['fc', 'aux1.fc2', 'aux2.fc2'] : ['fc'];
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const image = this.#transform ? affine(x, transformInput.scale, transformInput.offset) : x;
    const stem = [this.conv1, this.#pool3, this.conv2, this.conv3, this.#pool3];
    const x4a = pipe(ctx, image, ...stem, this.inception3a, this.inception3b, this.#pool3, this.inception4a);
    const x4d = pipe(ctx, x4a, this.inception4b, this.inception4c, this.inception4d);
    if (this.aux1) ctx.auxiliary?.(this.aux1.forward(x4a, ctx), 0.3);
    if (this.aux2) ctx.auxiliary?.(this.aux2.forward(x4d, ctx), 0.3);
    const tail = [this.inception4e, this.#pool2, this.inception5a, this.inception5b];
    return pipe(ctx, x4d, ...tail, globalAvgPool, this.#dropout, this.fc);
  }
}
