import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { type Initializer, biasUniform, kaimingUniform } from '../init.js';
import { Module, Parameter } from '../module.js';
import { convTranspose2d } from '../ops/conv-transpose2d.js';
import { type Pair, pair } from './conv2d.js';

export interface ConvTranspose2dOptions {
  stride?: Pair;
  /** Pixels taken off each side of the result, as in PyTorch. Default 0. */
  padding?: Pair;
  bias?: boolean;
  /** Default: PyTorch's, `kaimingUniform({ a: √5 })`. */
  init?: Initializer;
}

/**
 * Transposed convolution: [N, H, W, cin] → [N, H', W', cout], H' = (H − 1)·stride − 2·padding + kernel.
 * Weights as in `torch.nn.ConvTranspose2d`: `weight` [cin, cout, kh, kw] and `bias` [cout].
 */
export class ConvTranspose2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  readonly cin: number;
  readonly #settings: { stride: [number, number]; padding: [number, number] };

  constructor(cin: number, cout: number, kernel: Pair, options: ConvTranspose2dOptions = {}) {
    super();
    const { bias = true, init = kaimingUniform({ a: Math.sqrt(5) }) } = options;
    const [kh, kw] = pair(kernel);
    this.cin = cin;
    this.weight = new Parameter([cin, cout, kh, kw], { init, layout: 'convTranspose' });
    if (bias) this.bias = new Parameter([cout], { init: biasUniform(cout * kh * kw) });
    this.#settings = { stride: pair(options.stride ?? 1), padding: pair(options.padding ?? 0) };
  }

  forward(x: Tensor): Tensor {
    if (x.rank !== 4 || x.shape[3] !== this.cin) {
      throw new ShapeError(`ConvTranspose2d: expected an input of [N, H, W, ${this.cin}], found [${x.shape}].`);
    }
    return convTranspose2d(x as Tensor4D, this.weight.value as unknown as Tensor4D, this.#settings, this.bias?.value);
  }
}
