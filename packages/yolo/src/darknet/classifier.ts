import { Classifier, type CommonConfig, type Context, type Module, inputSize } from '@convkit/core';
import { flatten, pipe } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { DarknetConfig, LayerConfig } from './config.js';
import { DarknetNetwork } from './network.js';

/** A classifier from a `.cfg` file, such as the backbones Darknet-19 and Darknet-53: x [N, H, W, 3], 0 … 1 → logits [N, classes]. */
export class DarknetClassifier extends Classifier {
  readonly network: DarknetNetwork;

  constructor(cfg: DarknetConfig, { numClasses, classes, preprocessing }: CommonConfig) {
    super({ numClasses, preprocessing, ...(classes && { classes }) });
    this.network = new DarknetNetwork(withOutputs(cfg, numClasses), inputSize(preprocessing));
  }

  override parts(): [string, Module][] {
    return this.network.parts();
  }

  /** The last layer with weights. */
  override get heads(): readonly string[] {
    return [String(outputLayer(this.network.layers.map(({ config }) => config)))];
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, (images) => flatten(this.network.forward(images, ctx)[0]));
  }
}

const outputLayer = (layers: readonly LayerConfig[]): number =>
  layers.findLastIndex(({ kind }) => kind === 'convolutional' || kind === 'connected');

/** How many classes the net tells apart: the outputs of its last layer with weights; undefined where it has none. */
export function outputsOf({ layers }: DarknetConfig): number | undefined {
  const last = layers[outputLayer(layers)];
  if (last?.kind === 'convolutional') return last.filters;
  return last?.kind === 'connected' ? last.output : undefined;
}

function withOutputs(cfg: DarknetConfig, classes: number): DarknetConfig {
  const at = outputLayer(cfg.layers);
  const layers = cfg.layers.map((layer, i): LayerConfig => {
    if (i !== at) return layer;
    return layer.kind === 'connected'
      ? { ...layer, output: classes }
      : layer.kind === 'convolutional'
        ? { ...layer, filters: classes }
        : layer;
  });
  return { ...cfg, layers };
}
