import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { type TensorInfo, backend_util, util } from '@tensorflow/tfjs-core';
import { addressOf, kernelsOf, valuesOf, withScratch } from './heap.js';

/**
 * Two sums per channel over all rows, in float64. `sum` leaves float32 sums of a block of rows in `scratch`; a block is about
 * 16 KB, which stay in the nearest cache.
 */
export function inBlocks(
  backend: BackendWasm,
  { rows, channels }: { rows: number; channels: number },
  scratch: TensorInfo,
  sum: (first: number, count: number) => void,
): Float64Array {
  const totals = new Float64Array(2 * channels);
  const block = Math.max(16, Math.floor(4096 / channels));
  const sums = valuesOf(backend, scratch);
  for (let first = 0; first < rows; first += block) {
    sum(first, Math.min(block, rows - first));
    for (let i = 0; i < totals.length; i++) totals[i] += sums[i];
  }
  return totals;
}

interface ReduceAttributes {
  readonly axis: number | number[];
  readonly keepDims?: boolean;
}

/** Can `sumOver` reduce these axes: neighbours, the last one not among them? */
export function isOuterReduction(x: TensorInfo, axis: number | number[]): boolean {
  const axes = util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
  const last = axes.at(-1);
  const neighbours = axes.every((each, i) => each === axes[0] + i);
  return (
    x.dtype === 'float32' && last !== undefined && neighbours && last < x.shape.length - 1 && util.sizeFromShape(x.shape) > 0
  );
}

/** The sum over neighbouring axes, times `factor`; tfjs transposes these axes to the end first. */
export function sumOver(backend: BackendWasm, x: TensorInfo, { axis, keepDims }: ReduceAttributes, mean: boolean): TensorInfo {
  const axes = util.parseAxisParam(axis, x.shape).sort((a, b) => a - b);
  const [from, to] = [axes[0], axes.at(-1)! + 1];
  const [groups, rows, channels] = [x.shape.slice(0, from), x.shape.slice(from, to), x.shape.slice(to)].map((dims) =>
    util.sizeFromShape(dims),
  ) as [number, number, number];
  const [shape] = backend_util.computeOutAndReduceShapes(x.shape, axes);
  const out = backend.makeOutput(keepDims ? backend_util.expandShapeToKeepDim(shape, axes) : shape, 'float32');
  withScratch(backend, 3 * channels, (scratch, address) => {
    const kernels = kernelsOf(backend);
    const start = addressOf(backend, x);
    const results = valuesOf(backend, out);
    const zeros = address + 8 * channels;
    valuesOf(backend, scratch).fill(0);
    for (let group = 0; group < groups; group++) {
      const totals = inBlocks(backend, { rows, channels }, scratch, (first, count) =>
        kernels.moments(start + 4 * channels * (group * rows + first), zeros, address, address + 4 * channels, count, channels),
      );
      const factor = mean ? 1 / rows : 1;
      for (let c = 0; c < channels; c++) results[group * channels + c] = totals[c] * factor;
    }
  });
  return out;
}
