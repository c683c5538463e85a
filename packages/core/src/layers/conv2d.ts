import { type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError } from '../errors.js';
import { type Initializer, biasUniform, kaimingUniform } from '../init.js';
import { Module, Parameter } from '../module.js';
import { type Padding, conv2d } from '../ops/conv2d.js';

/** One number for both axes, or [height, width]. */
export type Pair = number | readonly [height: number, width: number];

export const pair = (value: Pair): [number, number] => (typeof value === 'number' ? [value, value] : [value[0], value[1]]);

/**
 * How a net keeps the resolution of its maps: `symmetric`, PyTorch's ⌊(kernel − 1) / 2⌋ · dilation zeros on each side, or
 * `same`, as TensorFlow pads: at stride 2 one zero more below and on the right, so that the windows lie elsewhere. Weights
 * that were trained with one lose much of their accuracy with the other.
 */
export type PaddingStyle = 'symmetric' | 'same';

export interface Conv2dOptions {
  stride?: Pair;
  /** Zeros on each side, as in PyTorch, or a style. Default 0. */
  padding?: Pair | PaddingStyle;
  dilation?: Pair;
  /** Channels are split into this many groups that do not see each other; `groups = cin` is a depthwise convolution. */
  groups?: number;
  bias?: boolean;
  /** Default: PyTorch's, `kaimingUniform({ a: √5 })`. */
  init?: Initializer;
  /** Default: PyTorch's, U(±1 / √fan in). */
  biasInit?: Initializer;
}

/**
 * Convolution: [N, H, W, cin] → [N, H', W', cout], H' = ⌊(H + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1.
 * Weights as in `torch.nn.Conv2d`: `weight` [cout, cin/groups, kh, kw] and `bias` [cout].
 */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly cin: number;
  readonly #settings: { stride: [number, number]; padding: Padding; dilation: [number, number]; groups: number };

  constructor(cin: number, cout: number, kernel: Pair, options: Conv2dOptions = {}) {
    super();
    const { groups = 1, bias = true, init = kaimingUniform({ a: Math.sqrt(5) }), padding = 0 } = options;
    if (cin % groups !== 0 || cout % groups !== 0) {
      throw new ArgumentError(`Conv2d: cin (= ${cin}) and cout (= ${cout}) must be divisible by groups (= ${groups}).`);
    }
    const [kh, kw] = pair(kernel);
    const [dh, dw] = pair(options.dilation ?? 1);
    const { biasInit = biasUniform((cin / groups) * kh * kw) } = options;
    this.cin = cin;
    this.weight = new Parameter([cout, cin / groups, kh, kw], { init, layout: 'conv' });
    if (bias) this.bias = new Parameter([cout], { init: biasInit });
    this.#settings = {
      stride: pair(options.stride ?? 1),
      padding:
        padding === 'same' ? 'same' : padding === 'symmetric' ? [((kh - 1) >> 1) * dh, ((kw - 1) >> 1) * dw] : pair(padding),
      dilation: [dh, dw],
      groups,
    };
  }

  forward(x: Tensor): Tensor {
    return this.convolve(x, this.weight.value, this.bias?.value);
  }

  /** The layer with other values: a filter [kh, kw, cin/groups, cout], as `weight.value` has it, and a bias [cout]. */
  convolve(x: Tensor, filter: Tensor, bias?: Tensor): Tensor {
    if (x.rank !== 4 || x.shape[3] !== this.cin) {
      throw new ShapeError(`Conv2d: expected an input of [N, H, W, ${this.cin}], found [${x.shape}].`);
    }
    return conv2d(x as Tensor4D, filter as Tensor4D, this.#settings, bias);
  }
}
