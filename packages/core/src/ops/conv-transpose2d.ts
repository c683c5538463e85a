import { type Tensor, type Tensor4D, add } from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { type ConvPlan, convolution, filterGradient, inputGradient } from './conv2d.js';
import { defineOp } from './op.js';
import type { Axis } from './window.js';

export interface ConvTransposeOptions {
  readonly stride: readonly [height: number, width: number];
  readonly padding: readonly [height: number, width: number];
}

/**
 * Transposed convolution, the gradient of a convolution in its input: [N,H,W,cin] ∗ [kh,kw,cout,cin] → [N,H',W',cout],
 * H' = (H − 1)·s − 2p + kh. Throws ShapeError where the shapes do not fit together.
 */
export function convTranspose2d(x: Tensor4D, filter: Tensor4D, options: ConvTransposeOptions, bias?: Tensor): Tensor4D {
  if (x.rank !== 4 || filter.rank !== 4 || x.shape[3] !== filter.shape[3]) {
    throw new ShapeError(
      `convTranspose2d takes x [N,H,W,cin] and a filter [kh,kw,cout,cin], not [${x.shape}] and [${filter.shape}].`,
    );
  }
  const axis = (i: 0 | 1): Axis => {
    const [out, kernel, stride, padding] = [x.shape[i + 1], filter.shape[i], options.stride[i], options.padding[i]];
    const size = (out - 1) * stride - 2 * padding + kernel;
    if (size < 1) throw new ShapeError(`convTranspose2d: x [${x.shape}] gives nothing with a padding of ${padding}.`);
    return { in: size, out, before: padding, after: padding, kernel, stride, dilation: 1 };
  };
  const y = transposed({ x, filter }, { height: axis(0), width: axis(1), groups: 1 })[0] as Tensor4D;
  return bias ? add(y, bias) : y;
}

const transposed = defineOp<'x' | 'filter', ConvPlan>({
  name: 'ConvTranspose2d',
  save: { inputs: ['x', 'filter'] },
  forward: ({ x, filter }, plan) => inputGradient({ dy: x, filter }, plan),
  gradient: ([dy], [x, filter], plan) => ({
    x: () => convolution({ x: dy, filter: filter }, plan)[0],
    filter: () => filterGradient({ x: dy, dy: x }, plan)[0],
  }),
});
