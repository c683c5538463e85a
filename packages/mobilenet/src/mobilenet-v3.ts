// Searching for MobileNetV3, Howard et al. 2019, https://arxiv.org/abs/1905.02244
// Reference: torchvision/models/mobilenetv3.py, whose state-dict names these are.
import {
  Classifier,
  type Context,
  ConvNormAct,
  Dropout,
  type FeatureStage,
  InvertedResidual,
  Linear,
  Sequential,
  pyramid,
} from '@convkit/core';
import {
  globalAvgPool,
  hardSigmoid,
  hardSwish,
  kaimingNormal,
  makeDivisible,
  normalInit,
  pipe,
  relu,
  zeros,
} from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { MobileNetConfig } from './config.js';

const init = kaimingNormal({ mode: 'out' });
const activations = { RE: relu, HS: hardSwish };

/** A row of the paper's tables 1 and 2; RE is ReLU, HS h-swish, SE tells whether there is squeeze-and-excitation. */
export type MobileNetV3Row = readonly [
  kernel: 3 | 5,
  expanded: number,
  channels: number,
  squeeze: 'SE' | '-',
  activation: keyof typeof activations,
  stride: 1 | 2,
];

export interface MobileNetV3Config extends MobileNetConfig {
  rows: readonly MobileNetV3Row[];
  /** Features between the two linear layers. */
  hidden: number;
}

/** [N, H, W, 3] → logits [N, numClasses], at stride 32 in the end. */
export class MobileNetV3 extends Classifier {
  readonly features: Sequential;
  readonly classifier: Sequential;

  constructor(config: MobileNetV3Config) {
    super(config);
    const { rows, hidden, width, padding, norm, dropout, numClasses } = config;
    const round = (channels: number) => makeDivisible(channels * width);
    const stem = round(16);
    let [channels, reached] = [stem, 2];
    const outputs: FeatureStage[] = [];
    const blocks = rows.map(([kernel, size, out, squeeze, activation, stride]) => {
      const [expanded, cout] = [round(size), round(out)];
      const gate = {
        channels: makeDivisible(Math.floor(expanded / 4)),
        activation: relu,
        gate: hardSigmoid,
        init,
        biasInit: zeros,
      };
      const block = new InvertedResidual(channels, cout, {
        ...{ expanded, kernel, stride, padding, norm, init },
        activation: activations[activation],
        squeeze: squeeze === 'SE' ? gate : undefined,
      });
      channels = cout;
      reached *= stride;
      outputs.push({ name: `features.${outputs.length + 1}`, stride: reached, channels });
      return block;
    });
    this.features = new Sequential([
      new ConvNormAct(3, stem, 3, { stride: 2, padding, norm, activation: hardSwish, init }),
      ...blocks,
      new ConvNormAct(channels, 6 * channels, 1, { norm, activation: hardSwish, init }),
    ]);
    this.stages = pyramid(outputs);
    const head = { init: normalInit({ std: 0.01 }), biasInit: zeros };
    this.classifier = new Sequential([
      new Linear(6 * channels, round(hidden), head),
      hardSwish,
      new Dropout(dropout),
      new Linear(round(hidden), numClasses, head),
    ]);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.features, globalAvgPool, this.classifier);
  }
}
