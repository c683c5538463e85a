// Densely Connected Convolutional Networks, Huang et al. 2016, https://arxiv.org/abs/1608.06993
// Reference: torchvision/models/densenet.py, whose state-dict names these are.
import { BatchNorm2d, Classifier, type CommonConfig, Conv2d, type Context, Linear, MaxPool2d, Sequential } from '@convkit/core';
import { type FeatureStage, type Stage, globalAvgPool, kaimingNormal, pipe, relu, zeros } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { DenseBlock, type DenseOptions, Transition } from './blocks.js';

export interface DenseNetConfig extends CommonConfig, DenseOptions {
  /** Layers in each dense block; a transition that halves the resolution stands between two blocks. */
  blocks: readonly number[];
  /** θ: the share of the channels that a transition keeps (the C of DenseNet-BC). */
  compression: number;
  /** `imagenet`: 7×7 stride 2, then max pooling; `small`: 3×3 stride 1 alone, for images of about 32×32. */
  stem: 'imagenet' | 'small';
  stemChannels: number;
}

/** [N, H, W, 3] → logits [N, numClasses]; four blocks after the `imagenet` stem work at strides 4, 8, 16, 32. */
export class DenseNet extends Classifier {
  readonly features: Sequential;
  readonly classifier: Linear;

  constructor(config: DenseNetConfig) {
    super(config);
    const { blocks, growthRate, compression, stem, stemChannels, numClasses } = config;
    const small = stem === 'small';
    const init = kaimingNormal();
    const conv0 = new Conv2d(3, stemChannels, small ? 3 : 7, {
      stride: small ? 1 : 2,
      padding: small ? 1 : 3,
      bias: false,
      init,
    });
    const features: Record<string, Stage> = small
      ? { conv0 }
      : { conv0, norm0: new BatchNorm2d(stemChannels), relu0: relu, pool0: new MaxPool2d(3, { stride: 2, padding: 1 }) };

    let channels = stemChannels;
    const stages: FeatureStage[] = [];
    blocks.forEach((layers, i) => {
      features[`denseblock${i + 1}`] = new DenseBlock(channels, layers, config);
      channels += layers * growthRate;
      stages.push({ name: `features.denseblock${i + 1}`, stride: (small ? 1 : 4) * 2 ** i, channels });
      if (i === blocks.length - 1) return;
      const kept = Math.floor(channels * compression);
      features[`transition${i + 1}`] = new Transition(channels, kept);
      channels = kept;
    });
    this.features = new Sequential({ ...features, norm5: new BatchNorm2d(channels), relu5: relu });
    this.stages = stages;
    this.classifier = new Linear(channels, numClasses, { biasInit: zeros });
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.features, globalAvgPool, this.classifier);
  }

  /** Takes the names of torchvision's old files (`norm.1` for `norm1`) and of JasonWei05/DenseNet too. */
  override rename(name: string): string {
    return name
      .replace(/(\.denselayer\d+\.(?:norm|conv))\.([12])\./, '$1$2.')
      .replace(/\.block\.(\d+)\.bn([12])\./, (_, i: string, n: string) => `.denselayer${Number(i) + 1}.norm${n}.`)
      .replace(/\.block\.(\d+)\./, (_, i: string) => `.denselayer${Number(i) + 1}.`)
      .replace(/(\.transition\d+)\.bn\./, '$1.norm.')
      .replace(/^conv0\./, 'features.conv0.')
      .replace(/^bn\./, 'features.norm5.')
      .replace(/^fc\./, 'classifier.');
  }
}
