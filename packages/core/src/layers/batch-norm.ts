import { type Tensor, type Tensor1D, add, mul, reshape, rsqrt, sqrt, square, sub, tidy } from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError } from '../errors.js';
import { type Initializer, ones, zeros } from '../init.js';
import { Buffer, type Context, Counter, Module, Parameter } from '../module.js';
import { batchNormInference, batchNormTraining } from '../ops/batch-norm.js';

export interface BatchNorm2dOptions {
  /** Added to the variance. PyTorch's default is 1e-5; TensorFlow-born checkpoints use 1e-3. */
  eps?: number;
  /** Darknet's own CPU code adds eps to √variance in evaluation. Default 'variance', as everything else does. */
  epsAddedTo?: 'variance' | 'deviation';
  /** Weight of the new statistics in the running ones (PyTorch's convention; Keras' momentum is 1 − this). */
  momentum?: number;
  /** Starting value of γ (`weight`); zeros make a residual block start as the identity (Goyal et al. 2017). */
  init?: Initializer;
}

/**
 * y = (x − mean) / √(variance + eps) · weight + bias over N, H and W: [N, H, W, C] → [N, H, W, C] (Ioffe and Szegedy 2015).
 *
 * Training uses the statistics of the batch, and moves the running ones by `momentum`, with the unbiased variance, as
 * `torch.nn.BatchNorm2d`; evaluation uses the running ones, and so does training where `weight` and `bias` are frozen.
 */
export class BatchNorm2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly running_mean: Buffer;
  readonly running_var: Buffer;
  readonly num_batches_tracked = new Counter();
  readonly #eps: number;
  readonly #onDeviation: boolean;
  readonly #momentum: number;

  constructor(channels: number, options: BatchNorm2dOptions = {}) {
    super();
    this.weight = new Parameter([channels], { init: options.init ?? ones });
    this.bias = new Parameter([channels], { init: zeros });
    this.running_mean = new Buffer([channels], { init: zeros });
    this.running_var = new Buffer([channels], { init: ones });
    this.#eps = options.eps ?? 1e-5;
    this.#onDeviation = options.epsAddedTo === 'deviation';
    this.#momentum = options.momentum ?? 0.1;
  }

  forward(x: Tensor, ctx: Context): Tensor {
    const channels = this.weight.size;
    if (x.rank !== 4 || x.shape[3] !== channels) {
      throw new ShapeError(`BatchNorm2d: expected an input of [N, H, W, ${channels}], found [${x.shape}].`);
    }
    const scale = this.weight.value as unknown as Tensor1D;
    const offset = this.bias.value as unknown as Tensor1D;
    const frozen = !this.weight.trainable && !this.bias.trainable;
    if (!ctx.training || frozen) {
      const mean = this.running_mean.value as unknown as Tensor1D;
      if (this.#onDeviation) return tidy(() => batchNormInference(x, mean, this.#widened(), scale, offset, 0));
      const variance = this.running_var.value as unknown as Tensor1D;
      return batchNormInference(x, mean, variance, scale, offset, this.#eps);
    }
    const count = x.size / channels;
    if (count < 2) {
      throw new ArgumentError(`BatchNorm2d: training needs more than one value per channel, found an input of [${x.shape}].`);
    }
    this.num_batches_tracked.value++;
    return batchNormTraining(x, scale, offset, this.#eps, (mean, variance) => {
      this.#track(this.running_mean, mean, 1);
      this.#track(this.running_var, variance, count / (count - 1));
    });
  }

  /** What evaluation computes, as x · scale + offset, both [C]. */
  affine(): { scale: Tensor; offset: Tensor } {
    return tidy(() => {
      const variance = this.#onDeviation ? this.#widened() : add(this.running_var.value, this.#eps);
      const scale = mul(this.weight.value, rsqrt(variance));
      return { scale, offset: sub(this.bias.value, mul(this.running_mean.value, scale)) };
    });
  }

  /** (√variance + eps)² */
  #widened(): Tensor1D {
    return square(add<Tensor1D>(sqrt(this.running_var.value), this.#eps));
  }

  #track(running: Buffer, batch: Tensor1D, correction: number): void {
    tidy(() => running.value.assign(add(mul(running.value, 1 - this.#momentum), mul(batch, this.#momentum * correction))));
  }
}

/** The same for vectors: [N, C] → [N, C], as `torch.nn.BatchNorm1d`. */
export class BatchNorm1d extends BatchNorm2d {
  override forward(x: Tensor, ctx: Context): Tensor {
    if (x.rank !== 2) throw new ShapeError(`BatchNorm1d: expected an input of [N, ${this.weight.size}], found [${x.shape}].`);
    const [n, channels] = x.shape;
    return tidy(() => reshape(super.forward(reshape(x, [n, 1, 1, channels]), ctx), [n, channels]));
  }
}
