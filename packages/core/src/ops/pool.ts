import {
  type Rank,
  type Tensor,
  type Tensor4D,
  avgPool as nativeAvgPool,
  concat,
  div,
  fill,
  maxPool as nativeMaxPool,
  maximum,
  mean,
  slice,
  tidy,
} from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError } from '../errors.js';
import { subsample } from './subsample.js';
import { type Axis, extent, padOrCrop } from './window.js';

/** One number for both sides, or two. */
export type Sides = number | readonly [before: number, after: number];

export interface PoolOptions {
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  /** Elements on each side, at most half of the kernel; or [before, after]. */
  readonly padding: readonly [height: Sides, width: Sides];
  /** Rounds the output size up, unless the last window would start in the padding after the input. */
  readonly ceilMode: boolean;
}

export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: readonly [height: number, width: number];
}

export interface AvgPoolOptions extends PoolOptions {
  readonly padding: readonly [height: number, width: number];
  /** Whether padding counts in the divisor; what `ceilMode` adds beyond the padding never does. */
  readonly countIncludePad: boolean;
}

/** Maximum over windows, as `torch.nn.MaxPool2d`: [N,H,W,C] → [N,H',W',C]. Padding never wins. */
export function maxPool(x: Tensor4D, options: MaxPoolOptions): Tensor4D {
  return tidy(() => {
    const [height, width] = plan('maxPool', x, options, options.dilation ?? [1, 1]);
    const input = padOrCrop(x, [height.before, height.after], [width.before, width.after], -Infinity);
    if (height.kernel * width.kernel > 1 && height.dilation * width.dilation === 1) {
      return nativeMaxPool(input, [height.kernel, width.kernel], [height.stride, width.stride], 'valid');
    }
    const taps: Tensor[] = [];
    for (let ky = 0; ky < height.kernel; ky++) {
      for (let kx = 0; kx < width.kernel; kx++) {
        taps.push(subsample(input, [ky * height.dilation, kx * width.dilation], [height.out, width.out], options.stride));
      }
    }
    return taps.reduce((a, b) => maximum(a, b)) as Tensor4D;
  });
}

/** Mean over windows, as `torch.nn.AvgPool2d`: [N,H,W,C] → [N,H',W',C]. */
export function avgPool(x: Tensor4D, options: AvgPoolOptions): Tensor4D {
  return tidy(() => {
    const [height, width] = plan('avgPool', x, options, [1, 1]);
    const input = padOrCrop(x, [height.before, height.after], [width.before, width.after]);
    if (height.kernel * width.kernel === 1) return subsample(input, [0, 0], [height.out, width.out], options.stride);
    const meanOfWindows = (of: Tensor4D): Tensor4D =>
      nativeAvgPool(of, [height.kernel, width.kernel], [height.stride, width.stride], 'valid');
    const pooled = meanOfWindows(input);
    const [up, left] = options.countIncludePad ? options.padding : [0, 0];
    const uncounted = [
      [height.before - up, height.after - up],
      [width.before - left, width.after - left],
    ] as const;
    if (uncounted.flat().every((amount) => amount <= 0)) return pooled;
    // How much of each window counts: the mean of ones that count and zeros that do not.
    const counted = fill<Rank.R4>([1, height.in + 2 * up, width.in + 2 * left, 1], 1);
    return div(pooled, meanOfWindows(padOrCrop(counted, ...uncounted)));
  });
}

/**
 * Mean over h × w bins that cover the input, as `torch.nn.AdaptiveAvgPool2d`: [N,H,W,C] → [N,h,w,C].
 * Bin i covers ⌊i·H/h⌋ up to ⌈(i+1)·H/h⌉, so bins may overlap, and h may exceed H.
 */
export function adaptiveAvgPool(x: Tensor4D, [h, w]: readonly [height: number, width: number]): Tensor4D {
  return tidy(() => {
    if (!(h >= 1 && w >= 1)) throw new ArgumentError(`adaptiveAvgPool: the output size must be at least 1×1, not ${h}×${w}.`);
    if (h * w === 1) return mean<Tensor4D>(x, [1, 2], true);
    const [n, height, width, c] = x.shape;
    if (height % h === 0 && width % w === 0) {
      const bin = [height / h, width / w] as const;
      return avgPool(x, { kernel: bin, stride: bin, padding: [0, 0], ceilMode: false, countIncludePad: true });
    }
    const rows = bins(height, h).map(([from, to]) => mean(slice(x, [0, from, 0, 0], [n, to - from, width, c]), 1, true));
    const y = concat(rows, 1);
    const columns = bins(width, w).map(([from, to]) => mean(slice(y, [0, 0, from, 0], [n, h, to - from, c]), 2, true));
    return concat(columns, 2) as Tensor4D;
  });
}

function bins(size: number, count: number): [from: number, to: number][] {
  return Array.from({ length: count }, (_, i) => [Math.floor((i * size) / count), Math.ceil(((i + 1) * size) / count)]);
}

function plan(name: string, x: Tensor4D, options: PoolOptions, dilation: readonly [number, number]): [Axis, Axis] {
  if (x.rank !== 4) throw new ShapeError(`${name} takes x [N,H,W,C], not [${x.shape}].`);
  const axis = (i: 0 | 1, size: number): Axis => {
    const [kernel, stride, padding] = [options.kernel[i], options.stride[i], options.padding[i]];
    const [before, below] = typeof padding === 'number' ? [padding, padding] : padding;
    if (before + below > kernel) {
      throw new ArgumentError(`${name}: padding (= ${String(padding)}) must be at most half of the kernel (= ${kernel}).`);
    }
    const span = extent(kernel, dilation[i]);
    const steps = (size + before + below - span) / stride;
    let out = (options.ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
    if (options.ceilMode && (out - 1) * stride >= size + before) out--;
    if (out < 1) {
      throw new ShapeError(
        `${name}: x [${x.shape}] is smaller than the window of ${span} along axis ${i + 1} (padding ${String(padding)}).`,
      );
    }
    // What every size can be padded with, where it makes no window more; it shows in the graph of an open size.
    const most = options.ceilMode ? below + stride - 1 : below;
    const windows = Math.floor((size + before + most - span) / stride) + 1;
    const after = windows === out ? most : Math.max(0, (out - 1) * stride + span - size - before);
    return { in: size, out, before, after, kernel, stride, dilation: dilation[i] };
  };
  return [axis(0, x.shape[1]), axis(1, x.shape[2])];
}
