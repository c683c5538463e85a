// Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning, Szegedy et al. 2016,
// https://arxiv.org/abs/1602.07261. Reference: timesler/facenet-pytorch, models/inception_resnet_v1.py, whose names these are.
import { BatchNorm1d, Classifier, type CommonConfig, type Context, Dropout, Linear, MaxPool2d, Sequential } from '@convkit/core';
import { type Stage, globalAvgPool, pipe } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { BasicConv2d, Branches, type MakeConv, ResidualBranches } from './blocks.js';

export interface InceptionResNetV1Config extends CommonConfig {
  /** Numbers of 35×35, 17×17 and 8×8 blocks; one more 8×8 block without ReLU follows. */
  blocks: readonly [block35: number, block17: number, block8: number];
  /** Width of the normalised embedding between pooling and logits (FaceNet: 512); 0 for none. */
  embedding: number;
  dropout: number;
}

const conv: MakeConv = (cin, cout, kernel, options) => new BasicConv2d(cin, cout, kernel, options);
const valid = { padding: 0 } as const;
const halved = { stride: 2, padding: 0 } as const;
const maxPool = () => new MaxPool2d(3, { stride: 2 });

/** Figure 10: [N, H, W, 256] → [N, H, W, 256]. */
const block35 = () =>
  new ResidualBranches(
    {
      branch0: conv(256, 32, 1),
      branch1: [conv(256, 32, 1), conv(32, 32, 3)],
      branch2: [conv(256, 32, 1), conv(32, 32, 3), conv(32, 32, 3)],
    },
    { channels: 256, width: 96, scale: 0.17 },
  );

/** Figure 7: [N, H, W, 256] → [N, H/2, W/2, 896]. */
const mixed6a = () =>
  new Branches({
    branch0: conv(256, 384, 3, halved),
    branch1: [conv(256, 192, 1), conv(192, 192, 3), conv(192, 256, 3, halved)],
    branch2: maxPool(),
  });

/** Figure 11: [N, H, W, 896] → [N, H, W, 896]. */
const block17 = () =>
  new ResidualBranches(
    {
      branch0: conv(896, 128, 1),
      branch1: [conv(896, 128, 1), conv(128, 128, [1, 7]), conv(128, 128, [7, 1])],
    },
    { channels: 896, width: 256, scale: 0.1 },
  );

/** Figure 12: [N, H, W, 896] → [N, H/2, W/2, 1792]. */
const mixed7a = () =>
  new Branches({
    branch0: [conv(896, 256, 1), conv(256, 384, 3, halved)],
    branch1: [conv(896, 256, 1), conv(256, 256, 3, halved)],
    branch2: [conv(896, 256, 1), conv(256, 256, 3), conv(256, 256, 3, halved)],
    branch3: maxPool(),
  });

/** Figure 13: [N, H, W, 1792] → [N, H, W, 1792]. */
const block8 = (options: { scale: number; activation?: (x: Tensor) => Tensor }) =>
  new ResidualBranches(
    {
      branch0: conv(1792, 192, 1),
      branch1: [conv(1792, 192, 1), conv(192, 192, [1, 3]), conv(192, 192, [3, 1])],
    },
    { channels: 1792, width: 384, ...options },
  );

/** [N, H, W, 3] → logits [N, numClasses], for images of 299×299 and from 75×75 on; blocks at strides 8, 16, 32. */
export class InceptionResNetV1 extends Classifier {
  readonly conv2d_1a = conv(3, 32, 3, halved);
  readonly conv2d_2a = conv(32, 32, 3, valid);
  readonly conv2d_2b = conv(32, 64, 3);
  readonly conv2d_3b = conv(64, 80, 1);
  readonly conv2d_4a = conv(80, 192, 3, valid);
  readonly conv2d_4b = conv(192, 256, 3, halved);
  readonly repeat_1: Sequential;
  readonly mixed_6a = mixed6a();
  readonly repeat_2: Sequential;
  readonly mixed_7a = mixed7a();
  readonly repeat_3: Sequential;
  readonly block8 = block8({ scale: 1, activation: (x) => x });
  readonly last_linear: Linear | undefined;
  readonly last_bn: BatchNorm1d | undefined;
  readonly logits: Linear;
  readonly #pool = maxPool();
  readonly #dropout: Dropout;

  constructor(config: InceptionResNetV1Config) {
    super(config);
    const { blocks, embedding, dropout, numClasses } = config;
    const times = (count: number, block: () => ResidualBranches) => new Sequential(Array.from({ length: count }, block));
    this.repeat_1 = times(blocks[0], block35);
    this.repeat_2 = times(blocks[1], block17);
    this.repeat_3 = times(blocks[2], () => block8({ scale: 0.2 }));
    this.#dropout = new Dropout(dropout);
    this.last_linear = embedding > 0 ? new Linear(1792, embedding, { bias: false }) : undefined;
    this.last_bn = embedding > 0 ? new BatchNorm1d(embedding, { eps: 1e-3 }) : undefined;
    this.logits = new Linear(embedding > 0 ? embedding : 1792, numClasses);
    this.stages = [
      { name: 'conv2d_2b', stride: 2, channels: 64 },
      { name: 'conv2d_4a', stride: 4, channels: 192 },
      { name: 'repeat_1', stride: 8, channels: 256 },
      { name: 'repeat_2', stride: 16, channels: 896 },
      { name: 'block8', stride: 32, channels: 1792 },
    ];
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const stem = [this.conv2d_1a, this.conv2d_2a, this.conv2d_2b, this.#pool];
    const deeper = [this.conv2d_3b, this.conv2d_4a, this.conv2d_4b];
    const body = [this.repeat_1, this.mixed_6a, this.repeat_2, this.mixed_7a, this.repeat_3, this.block8];
    const embedding: Stage[] = this.last_linear && this.last_bn ? [this.last_linear, this.last_bn] : [];
    return pipe(ctx, x, ...stem, ...deeper, ...body, globalAvgPool, this.#dropout, ...embedding, this.logits);
  }
}
