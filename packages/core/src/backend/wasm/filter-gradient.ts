import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ConvPlan } from '../../ops/conv2d.js';
import type { Axis } from '../../ops/window.js';
import { addressOf, kernelsOf, valuesOf } from './heap.js';

/** About what the second-level cache holds besides the filter, in bytes. */
const CACHE = 512 * 1024;

/**
 * The gradient of a convolution in its filter, [kh,kw,cin/groups,cout]: for each tap the sum of x ⊗ dy over the places where
 * the tap met the input. Nothing is copied, padded or transposed; sums of float32 span at most the part of one image that
 * fits the cache, and are then added to the result.
 */
export function filterGradient(backend: BackendWasm, x: TensorInfo, dy: TensorInfo, plan: ConvPlan): TensorInfo {
  const [, , , cin] = x.shape as [number, number, number, number];
  const [, , , cout] = dy.shape as [number, number, number, number];
  const { groups } = plan;
  const [depth, width] = [cin / groups, cout / groups];
  const [n, rows, columns] = merged(x.shape[0], plan);
  const result = backend.makeOutput([rows.kernel, columns.kernel, depth, cout], 'float32');
  valuesOf(backend, result).fill(0);
  const [xStart, dyStart, outStart] = [x, dy, result].map((info) => addressOf(backend, info)) as [number, number, number];
  const [xPixel, dyPixel] = [4 * cin, 4 * cout];
  const kernels = kernelsOf(backend);
  const block = Math.max(1, Math.floor(CACHE / (columns.in * rows.stride * xPixel + columns.out * dyPixel)));
  for (let image = 0; image < n; image++) {
    for (let first = 0; first < rows.out; first += block) {
      for (let ky = 0; ky < rows.kernel; ky++) {
        const [top, bottom] = met(rows, ky, first, Math.min(rows.out, first + block));
        for (let kx = 0; kx < columns.kernel; kx++) {
          const [left, right] = met(columns, kx, 0, columns.out);
          if (bottom <= top || right <= left) continue;
          const y = top * rows.stride + ky * rows.dilation - rows.before;
          const xAt = left * columns.stride + kx * columns.dilation - columns.before;
          const from = xStart + xPixel * ((image * rows.in + y) * columns.in + xAt);
          const gradient = dyStart + dyPixel * ((image * rows.out + top) * columns.out + left);
          const out = outStart + 4 * (ky * columns.kernel + kx) * depth * cout;
          const [h, w] = [bottom - top, right - left];
          const xColumn = columns.stride * xPixel;
          const xRow = rows.stride * columns.in * xPixel - w * xColumn;
          const dyRow = dyPixel * (columns.out - w);
          if (depth === 1 && width === 1) {
            kernels.products(from, gradient, out, h, w, xRow, xColumn, dyRow, dyPixel, cout);
            continue;
          }
          for (let g = 0; g < groups; g++) {
            const [xGroup, dyGroup, outGroup] = [from + 4 * g * depth, gradient + 4 * g * width, out + 4 * g * width];
            kernels.outerProducts(xGroup, dyGroup, outGroup, h, w, xRow, xColumn, dyRow, dyPixel, depth, width, dyPixel);
          }
        }
      }
    }
  }
  return result;
}

/** Where windows do not overlap the edges of an image, all images are one tall image. */
function merged(n: number, { height, width }: ConvPlan): [n: number, rows: Axis, columns: Axis] {
  const whole = height.kernel === 1 && height.stride === 1 && height.before === 0 && height.after === 0;
  return whole ? [1, { ...height, in: n * height.in, out: n * height.out }, width] : [n, height, width];
}

/** The windows from `from` to `to` (excluded) whose tap k lies in the input. */
function met(axis: Axis, k: number, from: number, to: number): [from: number, to: number] {
  const offset = axis.before - k * axis.dilation;
  return [Math.max(from, Math.ceil(offset / axis.stride)), Math.min(to, Math.floor((axis.in - 1 + offset) / axis.stride) + 1)];
}
