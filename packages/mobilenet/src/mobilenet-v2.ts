// MobileNetV2: Inverted Residuals and Linear Bottlenecks, Sandler et al. 2018, https://arxiv.org/abs/1801.04381
// Reference: torchvision/models/mobilenetv2.py, whose state-dict names these are.
import { BatchNorm2d, Classifier, type Context, Conv2d, ConvNormAct, Dropout, Linear, Module, Sequential } from '@convkit/core';
import {
  type FeatureStage,
  add,
  globalAvgPool,
  kaimingNormal,
  makeDivisible,
  normalInit,
  pipe,
  pyramid,
  relu6,
  zeros,
} from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { MobileNetConfig } from './config.js';

const init = kaimingNormal({ mode: 'out' });

/**
 * 1×1 expansion → depthwise 3×3 → linear 1×1 projection, and a shortcut where the shape stays: [N, H, W, cin] →
 * [N, H/stride, W/stride, cout]. The layers are those of core's `InvertedResidual`, which later nets use; torchvision's names
 * are older here: all in `conv`, the projection not in a group of its own.
 */
export class LinearBottleneck extends Module {
  readonly conv: Sequential;
  readonly #shortcut: boolean;

  constructor(cin: number, cout: number, stride: number, expand: number, config: Pick<MobileNetConfig, 'padding' | 'norm'>) {
    super();
    const { padding, norm } = config;
    const hidden = cin * expand;
    const shared = { norm, activation: relu6, init };
    this.conv = new Sequential([
      ...(expand === 1 ? [] : [new ConvNormAct(cin, hidden, 1, shared)]),
      new ConvNormAct(hidden, hidden, 3, { ...shared, stride, groups: hidden, padding }),
      new Conv2d(hidden, cout, 1, { bias: false, init }),
      new BatchNorm2d(cout, norm),
    ]);
    this.#shortcut = stride === 1 && cin === cout;
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const y = this.conv.forward(x, ctx);
    return this.#shortcut ? add(x, y) : y;
  }
}

/** Table 2 of the paper: expansion t, channels c, blocks n, stride s of the first. */
const stages = [
  { t: 1, c: 16, n: 1, s: 1 },
  { t: 6, c: 24, n: 2, s: 2 },
  { t: 6, c: 32, n: 3, s: 2 },
  { t: 6, c: 64, n: 4, s: 2 },
  { t: 6, c: 96, n: 3, s: 1 },
  { t: 6, c: 160, n: 3, s: 2 },
  { t: 6, c: 320, n: 1, s: 1 },
] as const;

/** [N, H, W, 3] → logits [N, numClasses]; the blocks run at strides 2, 4, 8, 16, 16, 32, 32. */
export class MobileNetV2 extends Classifier {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(config: MobileNetConfig) {
    super(config);
    const { width, padding, norm, dropout, numClasses } = config;
    const shared = { padding, norm, activation: relu6, init };
    const stem = makeDivisible(32 * width);
    const last = makeDivisible(1280 * Math.max(1, width)); // the last layer does not get thinner
    let [channels, stride] = [stem, 2];
    const outputs: FeatureStage[] = [];
    const blocks = stages.flatMap(({ t, c, n, s }) =>
      Array.from({ length: n }, (_, i) => {
        const cout = makeDivisible(c * width);
        const block = new LinearBottleneck(channels, cout, i === 0 ? s : 1, t, config);
        channels = cout;
        stride *= i === 0 ? s : 1;
        outputs.push({ name: `features.${outputs.length + 1}`, stride, channels });
        return block;
      }),
    );
    this.features = new Sequential([
      new ConvNormAct(3, stem, 3, { ...shared, stride: 2 }),
      ...blocks,
      new ConvNormAct(channels, last, 1, shared),
    ]);
    this.stages = pyramid(outputs);
    this.classifier = new Sequential([
      new Dropout(dropout),
      new Linear(last, numClasses, { init: normalInit({ std: 0.01 }), biasInit: zeros }),
    ]);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.features, globalAvgPool, this.classifier);
  }
}
