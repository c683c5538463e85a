import { Classifier, type CommonConfig, type Context, Linear, Module, globalAvgPool, pipe } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { Conv, ModuleList } from './blocks.js';
import { Backbone, type Scale } from './net.js';

export interface YoloV8ClassifierConfig extends CommonConfig {
  scale: Scale;
}

/** PyTorch's defaults, which the nets for detection do not have. */
const NORM = { eps: 1e-5, momentum: 0.1 };

/** 1×1 convolution to 1,280 channels, mean, linear layer: [N, h, w, cin] → logits [N, numClasses]. */
class Classify extends Module {
  readonly conv: Conv;
  readonly linear: Linear;

  constructor(cin: number, numClasses: number) {
    super();
    this.conv = new Conv(cin, 1280, 1, { norm: NORM });
    this.linear = new Linear(1280, numClasses);
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv, globalAvgPool, this.linear);
  }
}

/** YOLOv8's backbone as a classifier: [N, H, W, 3], 0 … 1 → logits [N, numClasses], any size from 32 on. */
export class YoloV8Classifier extends Classifier {
  readonly model: ModuleList;
  readonly #backbone: Backbone;
  readonly #head: Classify;

  constructor(config: YoloV8ClassifierConfig) {
    super(config);
    this.#backbone = new Backbone(config.scale, NORM);
    this.stages = this.#backbone.stages;
    this.#head = new Classify(this.stages[3].channels, config.numClasses);
    this.model = new ModuleList({ ...this.#backbone.layers, 9: this.#head });
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, this.#backbone.run(x, ctx)[2], this.#head);
  }
}
