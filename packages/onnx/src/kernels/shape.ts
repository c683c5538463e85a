import { ShapeError } from '@convkit/core';
import {
  type ConcatAttrs,
  type ExpandDimsAttrs,
  type PackAttrs,
  type ReshapeAttrs,
  type SplitVAttrs,
  type TileAttrs,
  type TransposeAttrs,
  type UnpackAttrs,
  backend_util,
} from '@tensorflow/tfjs-core';
import { type Value, ints, op, ops } from '../graph.js';
import { inverse, physical } from '../layout.js';
import { type KernelTable, kernel } from './kernel.js';
import { cut } from './slice.js';
import { reshape, transpose } from './views.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

const withAxis = (shape: readonly number[], axis: number): number[] => [...shape.slice(0, axis), 1, ...shape.slice(axis)];
const withoutAxis = (shape: readonly number[], axis: number): number[] => shape.filter((_, i) => i !== axis);

/** Joins values along an axis, in the layout of the largest that is still to be computed. */
export function concat(values: readonly Value[], axis: number): Value {
  const shape = values[0].shape.map((n, i) => (i === axis ? values.reduce((sum, value) => sum + value.shape[i], 0) : n));
  const parts = values.filter((value) => value.size > 0);
  if (parts.length < 2) return parts[0] ?? values[0];
  const pending = parts.filter(({ slot }) => slot.node);
  const { layout } = (pending.length > 0 ? pending : parts).reduce((a, b) => (b.size > a.size ? b : a));
  const slots = parts.map((value) => value.in(layout));
  return op('Concat', slots, { shape, layout }, { axis: inverse(layout)[axis] });
}

/** Parts of these sizes along an axis. */
function split(x: Value, axis: number, sizes: readonly number[]): Value[] {
  if (sizes.length === 1) return [x];
  const shapes = sizes.map((size) => x.shape.map((n, i) => (i === axis ? size : n)));
  if (x.size === 0 || sizes.includes(0) || x.dtype === 'bool') {
    let begin = 0;
    return shapes.map((shape) => {
      const part = cut(
        x,
        shape.map((_, i) => (i === axis ? begin : 0)),
        shape,
      );
      begin += shape[axis];
      return part;
    });
  }
  const { layout, dtype } = x;
  const outs = shapes.map((shape) => ({ shape, layout, dtype }));
  return ops('Split', [x.slot, ints(sizes)], outs, { axis: inverse(layout)[axis] });
}

const normal = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

export const shapeKernels: KernelTable = {
  Reshape: kernel<ReshapeAttrs>(({ x }, { shape }) => {
    const known = sizeOf(shape.filter((n) => n >= 0));
    return reshape(
      x,
      shape.map((n) => (n >= 0 ? n : x.size / known)),
    );
  }),
  ExpandDims: kernel<ExpandDimsAttrs>(({ input }, { dim }) => reshape(input, withAxis(input.shape, normal(dim, input.rank + 1)))),
  Transpose: kernel<TransposeAttrs>(({ x }, { perm }) => transpose(x, perm)),
  Concat: kernel<ConcatAttrs>((inputs, { axis }) => {
    const values = Object.values(inputs);
    if (values.some(({ dtype }) => dtype !== values[0].dtype)) return undefined;
    const at = normal(axis, values[0].rank);
    if (values.some(({ shape }) => shape.some((n, i) => i !== at && n !== values[0].shape[i]))) {
      const shapes = values.map(({ shape }) => `[${shape.join()}]`).join(', ');
      throw new ShapeError(`concat along axis ${at}: the shapes ${shapes} differ in another axis.`);
    }
    return concat(values, at);
  }),
  Pack: kernel<PackAttrs>((inputs, { axis }) => {
    const values = Object.values(inputs);
    if (values.some(({ dtype }) => dtype !== values[0].dtype)) return undefined;
    const at = normal(axis, values[0].rank + 1);
    const parts = values.map((value) => reshape(value, withAxis(value.shape, at)));
    return parts.length === 1 ? parts[0] : concat(parts, at);
  }),
  Unpack: kernel<UnpackAttrs>(({ value }, { axis }) => {
    const at = normal(axis, value.rank);
    const shape = withoutAxis(value.shape, at);
    return split(value, at, new Array<number>(value.shape[at]).fill(1)).map((part) => reshape(part, shape));
  }),
  SplitV: kernel<SplitVAttrs>(({ x }, { numOrSizeSplits, axis }) => {
    const at = normal(axis, x.rank);
    const tensor = { shape: [...x.shape], dtype: 'float32' as const, dataId: {} };
    return split(x, at, backend_util.prepareSplitSize(tensor, numOrSizeSplits, at));
  }),
  Tile: kernel<TileAttrs>(({ x }, { reps }) => {
    if (reps.every((n) => n === 1)) return x;
    const shape = x.shape.map((n, axis) => n * reps[axis]);
    const { layout } = x;
    return op('Tile', [x.slot, ints(physical(reps, layout))], { shape, layout });
  }),
};
