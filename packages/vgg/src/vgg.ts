// Very Deep Convolutional Networks for Large-Scale Image Recognition, Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556
// Reference: torchvision/models/vgg.py, whose state-dict names these are.
import { AdaptiveAvgPool2d, ArgumentError, BatchNorm2d, Classifier, type CommonConfig, type Context } from '@convkit/core';
import { Conv2d, Dropout, Linear, MaxPool2d, Sequential, type Stage } from '@convkit/core';
import { flatten, kaimingNormal, normalInit, pipe, relu, zeros } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Channels of a 3×3 convolution; a convolution with a kernel of another, odd size; or 2×2 max pooling. */
export type VggLayer = number | { readonly channels: number; readonly kernel: number } | 'pool';

export interface VggConfig extends CommonConfig {
  layers: readonly VggLayer[];
  /** Batch normalisation after each convolution, which the paper did not have yet. */
  batchNorm: boolean;
  /** Side of the grid that the features are averaged to before the head: 7 on ImageNet, 1 on CIFAR. */
  grid: number;
  /** Widths of the head's hidden layers; with none of them the head is one linear layer. */
  hidden: readonly number[];
  /** After each hidden layer. */
  dropout: number;
}

/** Convolutions and max pooling in a row: [N, H, W, 3] → logits [N, numClasses]; the published nets end at stride 32. */
export class Vgg extends Classifier {
  readonly features: Sequential;
  readonly classifier: Sequential | Linear;
  readonly #grid: AdaptiveAvgPool2d;

  constructor(config: VggConfig) {
    super(config);
    const { layers, batchNorm, grid, hidden, dropout, numClasses } = config;
    let width = 3;
    const convolution = (channels: number, kernel: number): Stage[] => {
      if (kernel % 2 === 0) throw new ArgumentError(`A VGG convolution needs a kernel of odd size, found ${kernel}.`);
      const conv = new Conv2d(width, channels, kernel, { padding: kernel >> 1, init: convInit, biasInit: zeros });
      width = channels;
      return batchNorm ? [conv, new BatchNorm2d(channels), relu] : [conv, relu];
    };
    const linear = (to: number) => {
      const layer = new Linear(width, to, { init: normalInit({ std: 0.01 }), biasInit: zeros });
      width = to;
      return layer;
    };

    const pooled: number[] = []; // channels
    this.features = new Sequential(
      layers.flatMap((layer): Stage[] => {
        if (layer === 'pool') pooled.push(width);
        if (layer === 'pool') return [new MaxPool2d(2)];
        return typeof layer === 'number' ? convolution(layer, 3) : convolution(layer.channels, layer.kernel);
      }),
    );
    const pools = this.features.parts().filter(([, module]) => module instanceof MaxPool2d);
    this.stages = pools.map(([index], i) => ({ name: `features.${index}`, stride: 2 ** (i + 1), channels: pooled[i] }));
    this.#grid = new AdaptiveAvgPool2d(grid);
    width *= grid * grid;
    const perceptron = hidden.flatMap((to): Stage[] => [linear(to), relu, new Dropout(dropout)]);
    this.classifier = perceptron.length > 0 ? new Sequential([...perceptron, linear(numClasses)]) : linear(numClasses);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.features, this.#grid, flatten, this.classifier);
  }
}

const convInit = kaimingNormal({ mode: 'out' });
