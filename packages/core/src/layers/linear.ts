import { type Tensor, type Tensor2D, add, matMul } from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { type Initializer, biasUniform, kaimingUniform } from '../init.js';
import { Module, Parameter } from '../module.js';

export interface LinearOptions {
  bias?: boolean;
  /** Default: PyTorch's, `kaimingUniform({ a: √5 })`. */
  init?: Initializer;
  /** Default: PyTorch's, U(±1 / √inFeatures). */
  biasInit?: Initializer;
}

/**
 * y = x · weightᵀ + bias: [N, inFeatures] → [N, outFeatures].
 * Weights as in `torch.nn.Linear`: `weight` [outFeatures, inFeatures] and `bias` [outFeatures].
 */
export class Linear extends Module {
  weight: Parameter;
  bias: Parameter | undefined;
  readonly inFeatures: number;
  readonly #options: LinearOptions;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    const { init = kaimingUniform({ a: Math.sqrt(5) }), biasInit = biasUniform(inFeatures) } = options;
    this.inFeatures = inFeatures;
    this.#options = { ...options, init, biasInit };
    this.weight = new Parameter([outFeatures, inFeatures], { init, layout: 'linear' });
    if (options.bias ?? true) this.bias = new Parameter([outFeatures], { init: biasInit });
  }

  get outFeatures(): number {
    return this.weight.shape[0];
  }

  /** Gives the layer another number of outputs. The old weights are freed; the new ones are not set yet, and not frozen. */
  resize(outFeatures: number): void {
    const { init, biasInit } = this.#options as Required<LinearOptions>;
    this.dispose();
    this.weight = new Parameter([outFeatures, this.inFeatures], { init, layout: 'linear' });
    if (this.bias) this.bias = new Parameter([outFeatures], { init: biasInit });
  }

  forward(x: Tensor): Tensor {
    if (x.rank !== 2 || x.shape[1] !== this.inFeatures) {
      throw new ShapeError(`Linear: expected an input of [N, ${this.inFeatures}], found [${x.shape}].`);
    }
    const y = matMul(x as Tensor2D, this.weight.value as unknown as Tensor2D);
    return this.bias ? add(y, this.bias.value) : y;
  }
}
