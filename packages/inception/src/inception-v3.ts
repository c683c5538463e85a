// Rethinking the Inception Architecture for Computer Vision, Szegedy et al. 2015, https://arxiv.org/abs/1512.00567
// Reference: torchvision/models/inception.py, whose state-dict names these are.
import {
  AvgPool2d,
  Classifier,
  type CommonConfig,
  type Context,
  Dropout,
  Linear,
  MaxPool2d,
  Module,
  type Stage,
} from '@convkit/core';
import { affine, globalAvgPool, pipe, truncNormal } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { BasicConv2d, Branches, Chain, type MakeConv, fork, transformInput } from './blocks.js';

export interface InceptionV3Config extends CommonConfig {
  /** A second head, after Mixed_6e, whose loss counts 0.4 in training; the input must then be at least 203×203 … 299×299. */
  auxiliary: boolean;
  dropout: number;
  /** For images normalised with ImageNet's mean and deviation in place of 0.5 and 0.5. */
  transformInput: boolean;
}

const init = truncNormal({ std: 0.1 });
const conv: MakeConv = (cin, cout, kernel, options) => new BasicConv2d(cin, cout, kernel, { init, ...options });
const chain = (...stages: Stage[]) => new Chain(stages);
const halved = { stride: 2, padding: 0 } as const;
const maxPool = () => new MaxPool2d(3, { stride: 2 });
const avgPool = () => new AvgPool2d(3, { stride: 1, padding: 1 });

/** Figure 5: [N, H, W, cin] → [N, H, W, 224 + pool]. */
const inceptionA = (cin: number, pool: number) =>
  new Branches({
    branch1x1: conv(cin, 64, 1),
    branch5x5: chain(conv(cin, 48, 1), conv(48, 64, 5)),
    branch3x3dbl: chain(conv(cin, 64, 1), conv(64, 96, 3), conv(96, 96, 3)),
    branch_pool: chain(avgPool(), conv(cin, pool, 1)),
  });

/** [N, H, W, cin] → [N, H/2, W/2, 480 + cin]. */
const reductionB = (cin: number) =>
  new Branches({
    branch3x3: conv(cin, 384, 3, halved),
    branch3x3dbl: chain(conv(cin, 64, 1), conv(64, 96, 3), conv(96, 96, 3, halved)),
    pool: maxPool(),
  });

/** Figure 6, with 7×7 filters in two factors, c channels between them: [N, H, W, 768] → [N, H, W, 768]. */
const inceptionC = (c: number) =>
  new Branches({
    branch1x1: conv(768, 192, 1),
    branch7x7: chain(conv(768, c, 1), conv(c, c, [1, 7]), conv(c, 192, [7, 1])),
    branch7x7dbl: chain(conv(768, c, 1), conv(c, c, [7, 1]), conv(c, c, [1, 7]), conv(c, c, [7, 1]), conv(c, 192, [1, 7])),
    branch_pool: chain(avgPool(), conv(768, 192, 1)),
  });

/** [N, H, W, 768] → [N, H/2, W/2, 1280]. */
const reductionD = () =>
  new Branches({
    branch3x3: chain(conv(768, 192, 1), conv(192, 320, 3, halved)),
    branch7x7x3: chain(conv(768, 192, 1), conv(192, 192, [1, 7]), conv(192, 192, [7, 1]), conv(192, 192, 3, halved)),
    pool: maxPool(),
  });

/** Figure 7: [N, H, W, cin] → [N, H, W, 2048]. */
const inceptionE = (cin: number) => {
  const wide = () => fork(conv(384, 384, [1, 3]), conv(384, 384, [3, 1]));
  return new Branches({
    branch1x1: conv(cin, 320, 1),
    branch3x3: chain(conv(cin, 384, 1), wide()),
    branch3x3dbl: chain(conv(cin, 448, 1), conv(448, 384, 3), wide()),
    branch_pool: chain(avgPool(), conv(cin, 192, 1)),
  });
};

/** Features [N, 17, 17, cin] → logits [N, numClasses]. */
export class InceptionAux extends Module {
  readonly conv0: BasicConv2d;
  readonly conv1: BasicConv2d;
  readonly fc: Linear;
  readonly #pool = new AvgPool2d(5, { stride: 3 });

  constructor(cin: number, numClasses: number) {
    super();
    this.conv0 = conv(cin, 128, 1);
    this.conv1 = conv(128, 768, 5, { padding: 0, init: truncNormal({ std: 0.01 }) });
    this.fc = new Linear(768, numClasses, { init: truncNormal({ std: 0.001 }) });
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.#pool, this.conv0, this.conv1, globalAvgPool, this.fc);
  }
}

/** [N, H, W, 3] → logits [N, numClasses], for images of 299×299 and from 75×75 on; stages at strides 8, 16, 32. */
export class InceptionV3 extends Classifier {
  readonly Conv2d_1a_3x3 = conv(3, 32, 3, halved);
  readonly Conv2d_2a_3x3 = conv(32, 32, 3, { padding: 0 });
  readonly Conv2d_2b_3x3 = conv(32, 64, 3);
  readonly Conv2d_3b_1x1 = conv(64, 80, 1);
  readonly Conv2d_4a_3x3 = conv(80, 192, 3, { padding: 0 });
  readonly Mixed_5b = inceptionA(192, 32);
  readonly Mixed_5c = inceptionA(256, 64);
  readonly Mixed_5d = inceptionA(288, 64);
  readonly Mixed_6a = reductionB(288);
  readonly Mixed_6b = inceptionC(128);
  readonly Mixed_6c = inceptionC(160);
  readonly Mixed_6d = inceptionC(160);
  readonly Mixed_6e = inceptionC(192);
  readonly AuxLogits: InceptionAux | undefined;
  readonly Mixed_7a = reductionD();
  readonly Mixed_7b = inceptionE(1280);
  readonly Mixed_7c = inceptionE(2048);
  readonly fc: Linear;
  readonly #pool = maxPool();
  readonly #dropout: Dropout;
  readonly #transform: boolean;

  constructor(config: InceptionV3Config) {
    super(config);
    this.AuxLogits = config.auxiliary ? new InceptionAux(768, config.numClasses) : undefined;
    this.#dropout = new Dropout(config.dropout);
    this.fc = new Linear(2048, config.numClasses, { init });
    this.#transform = config.transformInput;
    this.stages = [
      { name: 'Conv2d_2b_3x3', stride: 2, channels: 64 },
      { name: 'Conv2d_4a_3x3', stride: 4, channels: 192 },
      { name: 'Mixed_5d', stride: 8, channels: 288 },
      { name: 'Mixed_6e', stride: 16, channels: 768 },
      { name: 'Mixed_7c', stride: 32, channels: 2048 },
    ];
  }

  override get heads(): readonly string[] {
    return this.AuxLogits ? ['fc', 'AuxLogits.fc'] : ['fc'];
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const image = this.#transform ? affine(x, transformInput.scale, transformInput.offset) : x;
    const stem = [this.Conv2d_1a_3x3, this.Conv2d_2a_3x3, this.Conv2d_2b_3x3, this.#pool, this.Conv2d_3b_1x1, this.Conv2d_4a_3x3];
    const stage5 = [this.#pool, this.Mixed_5b, this.Mixed_5c, this.Mixed_5d];
    const stage6 = [this.Mixed_6a, this.Mixed_6b, this.Mixed_6c, this.Mixed_6d, this.Mixed_6e];
    const x6 = pipe(ctx, image, ...stem, ...stage5, ...stage6);
    if (this.AuxLogits) ctx.auxiliary?.(this.AuxLogits.forward(x6, ctx), 0.4);
    return pipe(ctx, x6, this.Mixed_7a, this.Mixed_7b, this.Mixed_7c, globalAvgPool, this.#dropout, this.fc);
  }
}
