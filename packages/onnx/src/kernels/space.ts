import type { BatchToSpaceNDAttrs, DepthToSpaceAttrs, SpaceToBatchNDAttrs } from '@tensorflow/tfjs-core';
import { op } from '../graph.js';
import { NCHW } from '../layout.js';
import { type KernelTable, kernel } from './kernel.js';
import { cut, pad } from './slice.js';
import { reshape, transpose } from './views.js';

const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);

/** Blocks of pixels that change places with images or channels. */
export const spaceKernels: KernelTable = {
  // [N, h·b, …, rest] → [b, N, h, …, rest] with the places in a block outermost.
  SpaceToBatchND: kernel<SpaceToBatchNDAttrs>(({ x }, { blockShape, paddings }) => {
    const m = blockShape.length;
    const whole = pad(
      x,
      x.shape.map((_, axis) => (paddings[axis - 1] ?? [0, 0]) as [number, number]),
    );
    const [n, ...space] = whole.shape as [number, ...number[]];
    const rest = space.slice(m);
    const cells = blockShape.flatMap((b, i) => [space[i] / b, b]);
    const blocks = blockShape.map((_, i) => 2 + 2 * i);
    const kept = blockShape.map((_, i) => 1 + 2 * i);
    const perm = [...blocks, 0, ...kept, ...rest.map((_, i) => 1 + 2 * m + i)];
    const y = transpose(reshape(whole, [n, ...cells, ...rest]), perm);
    return reshape(y, [n * product(blockShape), ...blockShape.map((b, i) => space[i] / b), ...rest]);
  }),
  BatchToSpaceND: kernel<BatchToSpaceNDAttrs>(({ x }, { blockShape, crops }) => {
    const m = blockShape.length;
    const [batch, ...space] = x.shape as [number, ...number[]];
    const rest = space.slice(m);
    const n = batch / product(blockShape);
    const cells = blockShape.flatMap((_, i) => [m + 1 + i, i]);
    const perm = [m, ...cells, ...rest.map((_, i) => 1 + 2 * m + i)];
    const y = transpose(reshape(x, [...blockShape, n, ...space]), perm);
    const whole = reshape(y, [n, ...blockShape.map((b, i) => b * space[i]), ...rest]);
    const crop = whole.shape.map((_, axis) => crops[axis - 1] ?? [0, 0]);
    return cut(
      whole,
      crop.map(([before]) => before),
      whole.shape.map((size, axis) => size - crop[axis][0] - crop[axis][1]),
    );
  }),
  DepthToSpace: kernel<DepthToSpaceAttrs>(({ x }, { blockSize, dataFormat }) => {
    if (dataFormat !== 'NHWC' || x.dtype !== 'float32') return undefined;
    const [n, h, w, c] = x.shape as [number, number, number, number];
    const shape = [n, h * blockSize, w * blockSize, c / blockSize ** 2];
    return op('DepthToSpace', [x.in(NCHW)], { shape, layout: NCHW }, { blocksize: blockSize, mode: 'DCR' });
  }),
};
