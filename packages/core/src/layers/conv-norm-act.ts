import type { Tensor } from '@tensorflow/tfjs-core';
import { relu } from '../functional.js';
import { Sequential, type Stage } from '../module.js';
import { BatchNorm2d, type BatchNorm2dOptions } from './batch-norm.js';
import { Conv2d, type Conv2dOptions, type Pair } from './conv2d.js';

export interface ConvNormActOptions extends Omit<Conv2dOptions, 'bias'> {
  norm?: BatchNorm2dOptions;
  /** Default ReLU; null for none. */
  activation?: ((x: Tensor) => Tensor) | null;
}

/**
 * Convolution without bias, batch normalisation, activation: [N, H, W, cin] → [N, H/stride, W/stride, cout], as torchvision's
 * `Conv2dNormActivation` (state: `0.weight`, `1.weight` …). The padding defaults to `symmetric`.
 */
export class ConvNormAct extends Sequential {
  constructor(cin: number, cout: number, kernel: Pair, options: ConvNormActOptions = {}) {
    const { norm, activation = relu, padding = 'symmetric', ...conv } = options;
    const stages: Stage[] = [new Conv2d(cin, cout, kernel, { ...conv, padding, bias: false }), new BatchNorm2d(cout, norm)];
    super(activation ? [...stages, activation] : stages);
  }
}
