// Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning, Szegedy et al. 2016,
// https://arxiv.org/abs/1602.07261. Reference: timm/models/inception_v4.py, whose state-dict names these are.
import { AvgPool2d, Classifier, type CommonConfig, type Context, Dropout, Linear, MaxPool2d, Sequential } from '@convkit/core';
import { type Stage, globalAvgPool, pipe } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { BasicConv2d, Branches, Chain, type MakeConv, fork } from './blocks.js';

export interface InceptionV4Config extends CommonConfig {
  /** Numbers of A, B and C modules. */
  blocks: readonly [a: number, b: number, c: number];
  dropout: number;
}

const conv: MakeConv = (cin, cout, kernel, options) => new BasicConv2d(cin, cout, kernel, options);
const valid = { padding: 0 } as const;
const halved = { stride: 2, padding: 0 } as const;
const maxPool = () => new MaxPool2d(3, { stride: 2 });
const avgPool = () => new AvgPool2d(3, { stride: 1, padding: 1, countIncludePad: false });

/** Figure 3, after its first three convolutions: [N, H, W, 64] → [N, H/4, W/4, 384]. */
const stem = (): Stage[] => [
  new Branches({ maxpool: maxPool(), conv: conv(64, 96, 3, halved) }),
  new Branches({
    branch0: [conv(160, 64, 1), conv(64, 96, 3, valid)],
    branch1: [conv(160, 64, 1), conv(64, 64, [1, 7]), conv(64, 64, [7, 1]), conv(64, 96, 3, valid)],
  }),
  new Branches({ conv: conv(192, 192, 3, halved), maxpool: maxPool() }),
];

/** Figure 4: [N, H, W, 384] → [N, H, W, 384]. */
const inceptionA = () =>
  new Branches({
    branch0: conv(384, 96, 1),
    branch1: [conv(384, 64, 1), conv(64, 96, 3)],
    branch2: [conv(384, 64, 1), conv(64, 96, 3), conv(96, 96, 3)],
    branch3: [avgPool(), conv(384, 96, 1)],
  });

/** Figure 7: [N, H, W, 384] → [N, H/2, W/2, 1024]. */
const reductionA = () =>
  new Branches({
    branch0: conv(384, 384, 3, halved),
    branch1: [conv(384, 192, 1), conv(192, 224, 3), conv(224, 256, 3, halved)],
    branch2: maxPool(),
  });

/** Figure 5: [N, H, W, 1024] → [N, H, W, 1024]. */
const inceptionB = () =>
  new Branches({
    branch0: conv(1024, 384, 1),
    branch1: [conv(1024, 192, 1), conv(192, 224, [1, 7]), conv(224, 256, [7, 1])],
    branch2: [
      conv(1024, 192, 1),
      ...[conv(192, 192, [7, 1]), conv(192, 224, [1, 7])],
      ...[conv(224, 224, [7, 1]), conv(224, 256, [1, 7])],
    ],
    branch3: [avgPool(), conv(1024, 128, 1)],
  });

/** Figure 8: [N, H, W, 1024] → [N, H/2, W/2, 1536]. */
const reductionB = () =>
  new Branches({
    branch0: [conv(1024, 192, 1), conv(192, 192, 3, halved)],
    branch1: [conv(1024, 256, 1), conv(256, 256, [1, 7]), conv(256, 320, [7, 1]), conv(320, 320, 3, halved)],
    branch2: maxPool(),
  });

/** Figure 6: [N, H, W, 1536] → [N, H, W, 1536]. */
const inceptionC = () => {
  const wide = (cin: number) => fork(conv(cin, 256, [1, 3]), conv(cin, 256, [3, 1]));
  const chain = (...stages: Stage[]) => new Chain(stages, { first: 0 });
  return new Branches({
    branch0: conv(1536, 256, 1),
    branch1: chain(conv(1536, 384, 1), wide(384)),
    branch2: chain(conv(1536, 384, 1), conv(384, 448, [3, 1]), conv(448, 512, [1, 3]), wide(512)),
    branch3: [avgPool(), conv(1536, 256, 1)],
  });
};

/** [N, H, W, 3] → logits [N, numClasses], for images of 299×299 and from 75×75 on; A, B and C at strides 8, 16, 32. */
export class InceptionV4 extends Classifier {
  readonly features: Sequential;
  readonly last_linear: Linear;
  readonly #dropout: Dropout;

  constructor(config: InceptionV4Config) {
    super(config);
    const times = (count: number, block: () => Stage) => Array.from({ length: count }, block);
    const [a, b, c] = config.blocks;
    this.features = new Sequential([
      ...[conv(3, 32, 3, halved), conv(32, 32, 3, valid), conv(32, 64, 3)],
      ...stem(),
      ...[...times(a, inceptionA), reductionA()],
      ...[...times(b, inceptionB), reductionB()],
      ...times(c, inceptionC),
    ]);
    this.#dropout = new Dropout(config.dropout);
    this.last_linear = new Linear(1536, config.numClasses);
    this.stages = [
      { name: 'features.2', stride: 2, channels: 64 },
      { name: 'features.4', stride: 4, channels: 192 },
      { name: `features.${5 + a}`, stride: 8, channels: 384 },
      { name: `features.${6 + a + b}`, stride: 16, channels: 1024 },
      { name: `features.${7 + a + b + c}`, stride: 32, channels: 1536 },
    ];
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.features, globalAvgPool, this.#dropout, this.last_linear);
  }
}
