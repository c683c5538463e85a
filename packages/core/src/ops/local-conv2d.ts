import {
  type Rank,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  add,
  matMul,
  reshape,
  stack,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { subsample } from './subsample.js';
import { padOrCrop } from './window.js';

export interface LocalConvOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/**
 * A convolution whose weights differ from place to place: x [N,H,W,C], filter [H'·W', cout, C·k·k], bias [cout, H', W'] → [N,H',W',cout].
 * The last axis of the filter runs over channel, row, column. Differentiable. Throws ShapeError where the shapes do not fit together.
 */
export function localConv2d(x: Tensor4D, filter: Tensor, bias: Tensor, { kernel, stride, padding }: LocalConvOptions): Tensor4D {
  const [n, h, w, c] = x.shape;
  const [height, width] = [h, w].map((size) => Math.floor((size + 2 * padding - kernel) / stride) + 1) as [number, number];
  const [places, cout, taps] = filter.shape as [number, number, number];
  if (places !== height * width || taps !== c * kernel * kernel) {
    throw new ShapeError(
      `localConv2d: x [${x.shape}] gives ${height}×${width} places of ${c * kernel ** 2} values, the filter is [${filter.shape}].`,
    );
  }
  return tidy(() => {
    const input = padOrCrop(x, [padding, padding], [padding, padding]);
    const seen: Tensor[] = [];
    for (let ky = 0; ky < kernel; ky++)
      for (let kx = 0; kx < kernel; kx++) {
        seen.push(reshape(subsample(input, [ky, kx], [height, width], [stride, stride]), [n, places, c]));
      }
    const patches = transpose(reshape<Rank.R3>(stack(seen, 3), [n, places, taps]), [1, 0, 2]);
    const y = transpose(matMul(patches, filter as Tensor3D, false, true), [1, 0, 2]); // [n, places, cout]
    const offset = transpose(reshape(bias, [cout, places]));
    return reshape<Rank.R4>(add(y, offset), [n, height, width, cout]);
  });
}
