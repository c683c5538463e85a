// Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning, Szegedy et al. 2016,
// https://arxiv.org/abs/1602.07261. Reference: timm/models/inception_resnet_v2.py, whose state-dict names these are.
import { AvgPool2d, Classifier, type CommonConfig, type Context, Dropout, Linear, MaxPool2d, Sequential } from '@convkit/core';
import { globalAvgPool, pipe } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { BasicConv2d, Branches, type MakeConv, ResidualBranches } from './blocks.js';

export interface InceptionResNetV2Config extends CommonConfig {
  /** Numbers of 35×35, 17×17 and 8×8 blocks; one more 8×8 block without ReLU follows. */
  blocks: readonly [block35: number, block17: number, block8: number];
  dropout: number;
}

const conv: MakeConv = (cin, cout, kernel, options) => new BasicConv2d(cin, cout, kernel, options);
const valid = { padding: 0 } as const;
const halved = { stride: 2, padding: 0 } as const;
const maxPool = () => new MaxPool2d(3, { stride: 2 });

/** [N, H, W, 192] → [N, H, W, 320]. */
const mixed5b = () =>
  new Branches({
    branch0: conv(192, 96, 1),
    branch1: [conv(192, 48, 1), conv(48, 64, 5)],
    branch2: [conv(192, 64, 1), conv(64, 96, 3), conv(96, 96, 3)],
    branch3: [new AvgPool2d(3, { stride: 1, padding: 1, countIncludePad: false }), conv(192, 64, 1)],
  });

/** Figure 16: [N, H, W, 320] → [N, H, W, 320]. */
const block35 = () =>
  new ResidualBranches(
    {
      branch0: conv(320, 32, 1),
      branch1: [conv(320, 32, 1), conv(32, 32, 3)],
      branch2: [conv(320, 32, 1), conv(32, 48, 3), conv(48, 64, 3)],
    },
    { channels: 320, width: 128, scale: 0.17 },
  );

/** Figure 7: [N, H, W, 320] → [N, H/2, W/2, 1088]. */
const mixed6a = () =>
  new Branches({
    branch0: conv(320, 384, 3, halved),
    branch1: [conv(320, 256, 1), conv(256, 256, 3), conv(256, 384, 3, halved)],
    branch2: maxPool(),
  });

/** Figure 17: [N, H, W, 1088] → [N, H, W, 1088]. */
const block17 = () =>
  new ResidualBranches(
    {
      branch0: conv(1088, 192, 1),
      branch1: [conv(1088, 128, 1), conv(128, 160, [1, 7]), conv(160, 192, [7, 1])],
    },
    { channels: 1088, width: 384, scale: 0.1 },
  );

/** Figure 18: [N, H, W, 1088] → [N, H/2, W/2, 2080]. */
const mixed7a = () =>
  new Branches({
    branch0: [conv(1088, 256, 1), conv(256, 384, 3, halved)],
    branch1: [conv(1088, 256, 1), conv(256, 288, 3, halved)],
    branch2: [conv(1088, 256, 1), conv(256, 288, 3), conv(288, 320, 3, halved)],
    branch3: maxPool(),
  });

/** Figure 19: [N, H, W, 2080] → [N, H, W, 2080]. */
const block8 = (options: { scale: number; activation?: (x: Tensor) => Tensor }) =>
  new ResidualBranches(
    {
      branch0: conv(2080, 192, 1),
      branch1: [conv(2080, 192, 1), conv(192, 224, [1, 3]), conv(224, 256, [3, 1])],
    },
    { channels: 2080, width: 448, ...options },
  );

/** [N, H, W, 3] → logits [N, numClasses], for images of 299×299 and from 75×75 on; blocks at strides 8, 16, 32. */
export class InceptionResNetV2 extends Classifier {
  readonly conv2d_1a = conv(3, 32, 3, halved);
  readonly conv2d_2a = conv(32, 32, 3, valid);
  readonly conv2d_2b = conv(32, 64, 3);
  readonly conv2d_3b = conv(64, 80, 1);
  readonly conv2d_4a = conv(80, 192, 3, valid);
  readonly mixed_5b = mixed5b();
  readonly repeat: Sequential;
  readonly mixed_6a = mixed6a();
  readonly repeat_1: Sequential;
  readonly mixed_7a = mixed7a();
  readonly repeat_2: Sequential;
  readonly block8 = block8({ scale: 1, activation: (x) => x });
  readonly conv2d_7b = conv(2080, 1536, 1);
  readonly classif: Linear;
  readonly #pool = maxPool();
  readonly #dropout: Dropout;

  constructor(config: InceptionResNetV2Config) {
    super(config);
    const times = (count: number, block: () => ResidualBranches) => new Sequential(Array.from({ length: count }, block));
    this.repeat = times(config.blocks[0], block35);
    this.repeat_1 = times(config.blocks[1], block17);
    this.repeat_2 = times(config.blocks[2], () => block8({ scale: 0.2 }));
    this.#dropout = new Dropout(config.dropout);
    this.classif = new Linear(1536, config.numClasses);
    this.stages = [
      { name: 'conv2d_2b', stride: 2, channels: 64 },
      { name: 'conv2d_4a', stride: 4, channels: 192 },
      { name: 'repeat', stride: 8, channels: 320 },
      { name: 'repeat_1', stride: 16, channels: 1088 },
      { name: 'conv2d_7b', stride: 32, channels: 1536 },
    ];
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const stem = [this.conv2d_1a, this.conv2d_2a, this.conv2d_2b, this.#pool, this.conv2d_3b, this.conv2d_4a, this.#pool];
    const body = [this.mixed_5b, this.repeat, this.mixed_6a, this.repeat_1, this.mixed_7a, this.repeat_2, this.block8];
    return pipe(ctx, x, ...stem, ...body, this.conv2d_7b, globalAvgPool, this.#dropout, this.classif);
  }
}
