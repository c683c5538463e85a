import { type Tensor4D, avgPool, image, mul } from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError } from '../errors.js';
import { defineOp } from './op.js';

/** Repeats each pixel `factor` times along both axes, as `torch.nn.Upsample(mode='nearest')`: [N,H,W,C] → [N,fH,fW,C]. */
export function upsample(x: Tensor4D, factor: number): Tensor4D {
  if (x.rank !== 4) throw new ShapeError(`upsample takes x [N,H,W,C], not [${x.shape}].`);
  if (!Number.isInteger(factor) || factor < 1) {
    throw new ArgumentError(`upsample: the factor must be a whole number above 0, found ${factor}.`);
  }
  return nearest({ x }, { factor })[0] as Tensor4D;
}

/** The centres of pixels are compared, so that no rounding of 1 / factor can move the choice to a neighbour. */
const nearest = defineOp<'x', { factor: number }>({
  name: 'Upsample',
  forward: ({ x }, { factor }) => {
    const [, height, width] = x.shape as [number, number, number, number];
    return [image.resizeNearestNeighbor(x as Tensor4D, [factor * height, factor * width], false, true)];
  },
  gradient: ([dy], _saved, { factor }) => ({
    x: () => mul(avgPool(dy as unknown as Tensor4D, factor, factor, 'valid'), factor * factor),
  }),
});
