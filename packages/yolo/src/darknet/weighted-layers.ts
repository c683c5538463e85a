import {
  BatchNorm2d,
  type BatchNorm2dOptions,
  Conv2d,
  type Context,
  Linear,
  LocalConv2d,
  Module,
  type Stage,
} from '@convkit/core';
import { flatten, isModule, kaimingUniform, onePixel, pipe } from '@convkit/core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { activations } from './activations.js';
import type { ConnectedConfig, ConvolutionalConfig, LocalConfig, Program } from './config.js';

/** Darknet draws weights from U(±√(2 / fan in)). */
const init = kaimingUniform({ a: Math.SQRT2 });

/** A layer with weights: named stages in a row. */
export class WeightedLayer extends Module {
  /** Names of the weights in the order in which a `.weights` file has their values. */
  readonly fileOrder: readonly string[];
  readonly #stages: Readonly<Record<string, Stage>>;

  constructor(fileOrder: readonly string[], stages: Readonly<Record<string, Stage>>) {
    super();
    this.fileOrder = fileOrder;
    this.#stages = stages;
  }

  override parts(): [string, Module][] {
    return Object.entries(this.#stages).filter((entry): entry is [string, Module] => isModule(entry[1]));
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, ...Object.values(this.#stages));
  }
}

/** γ and the statistics of a normalisation; its β stands in the file where other layers have their bias. */
const scales = (norm: string): string[] => [`${norm}.weight`, `${norm}.running_mean`, `${norm}.running_var`];

/** How each program normalises in evaluation. */
const norms = {
  redmon: { eps: 1e-6, epsAddedTo: 'deviation' },
  bochkovskiy: { eps: 1e-5 },
} as const satisfies Record<Program, BatchNorm2dOptions>;

/** `[convolutional]`: a convolution, batch normalisation in place of a bias where asked for, an activation. */
export function convolutional(index: number, channels: number, config: ConvolutionalConfig, program: Program): WeightedLayer {
  const { filters, size, stride, dilation, groups, batchNormalize, activation } = config;
  const [conv, norm] = [`conv_${index}`, `batch_norm_${index}`];
  const padding = config.padding * dilation;
  const order = batchNormalize ? [`${norm}.bias`, ...scales(norm)] : [`${conv}.bias`];
  return new WeightedLayer([...order, `${conv}.weight`], {
    [conv]: new Conv2d(channels, filters, size, { stride, padding, dilation, groups, bias: !batchNormalize, init }),
    ...(batchNormalize && { [norm]: new BatchNorm2d(filters, norms[program]) }),
    activation: activations[activation],
  });
}

/** `[connected]`: every value of the input, in the order channel, row, column, to every output; [N,H,W,C] → [N,1,1,output]. */
export function connected(index: number, inputs: number, config: ConnectedConfig, program: Program): WeightedLayer {
  const { output, batchNormalize, activation } = config;
  const [linear, norm] = [`connected_${index}`, `batch_norm_${index}`];
  const order = batchNormalize ? [`${norm}.bias`, `${linear}.weight`, ...scales(norm)] : [`${linear}.bias`, `${linear}.weight`];
  return new WeightedLayer(order, {
    flatten,
    [linear]: new Linear(inputs, output, { bias: !batchNormalize, init }),
    onePixel,
    ...(batchNormalize && { [norm]: new BatchNorm2d(output, norms[program]) }),
    activation: activations[activation],
  });
}

/** `[local]`: a convolution with weights of its own at every place. */
export function local(index: number, input: readonly [number, number, number], config: LocalConfig): WeightedLayer {
  const { filters, size, stride, padding, activation } = config;
  const name = `local_${index}`;
  return new WeightedLayer([`${name}.bias`, `${name}.weight`], {
    [name]: new LocalConv2d(input, filters, { kernel: size, stride, padding }),
    activation: activations[activation],
  });
}
