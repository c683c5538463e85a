import {
  type MirrorPadAttrs,
  type PadV2Attrs,
  type ReverseAttrs,
  type SliceAttrs,
  type StridedSliceAttrs,
  slice_util,
  util,
} from '@tensorflow/tfjs-core';
import { type Slot, Value, constant, ints, op, raw } from '../graph.js';
import { inverse, physical } from '../layout.js';
import { type KernelTable, kernel } from './kernel.js';
import { reshape } from './views.js';

/** Beyond the first element, for steps backwards: a negative end counts from the back. */
const BEFORE_FIRST = -(2 ** 31);

/** `shape` elements from `begin` on, `strides` apart, in the layout of x. Axes that stay whole are not named. */
export function cut(x: Value, begin: readonly number[], shape: readonly number[], strides?: readonly number[]): Value {
  const place = inverse(x.layout);
  const axes = x.shape.flatMap((n, axis) => (shape[axis] === n && (strides?.[axis] ?? 1) === 1 ? [] : [axis]));
  if (axes.length === 0) return x;
  const steps = axes.map((axis) => strides?.[axis] ?? 1);
  const starts = axes.map((axis) => begin[axis]);
  const ends = axes.map((axis, i) => {
    const end = starts[i] + shape[axis] * steps[i];
    return end < 0 ? BEFORE_FIRST : Math.min(end, x.shape[axis]);
  });
  const lists = [starts, ends, axes.map((axis) => place[axis]), ...(steps.some((n) => n !== 1) ? [steps] : [])];
  return op('Slice', [x.slot, ...lists.map(ints)], { shape, layout: x.layout });
}

/** Elements at fixed places of an axis. */
function pick(x: Value, axis: number, places: readonly number[]): Value {
  const shape = x.shape.map((n, i) => (i === axis ? places.length : n));
  return op('Gather', [x.slot, ints(places)], { shape, layout: x.layout }, { axis: inverse(x.layout)[axis] });
}

type Paddings = readonly (readonly [number, number])[];

function padded(x: Value, paddings: Paddings, mode: 'constant' | 'reflect', value?: Slot): Value {
  const own = physical(paddings, x.layout);
  const amounts = ints([...own.map(([before]) => before), ...own.map(([, after]) => after)]);
  const shape = x.shape.map((n, axis) => paddings[axis][0] + n + paddings[axis][1]);
  return op('Pad', value ? [x.slot, amounts, value] : [x.slot, amounts], { shape, layout: x.layout }, { mode });
}

/** x with a number before and after each axis. */
export function pad(x: Value, paddings: Paddings, value = 0): Value {
  if (paddings.every(([before, after]) => before + after === 0)) return x;
  if (x.size === 0) {
    const shape = x.shape.map((n, axis) => paddings[axis][0] + n + paddings[axis][1]);
    return new Value(raw('Expand', [constant(value, [], x.dtype), ints(shape)], shape), shape);
  }
  return padded(x, paddings, 'constant', constant(value, [], x.dtype));
}

function reversed(x: Value, axes: readonly number[]): Value {
  const strides = x.shape.map((n, axis) => (axes.includes(axis) && n > 1 ? -1 : 1));
  const begin = x.shape.map((n, axis) => (strides[axis] === -1 ? n - 1 : 0));
  return cut(x, begin, x.shape, strides);
}

export const sliceKernels: KernelTable = {
  Slice: kernel<SliceAttrs>(({ x }, { begin, size }) => {
    const tensor = { shape: [...x.shape], dtype: 'float32' as const, dataId: {} };
    const [starts, shape] = slice_util.parseSliceParams(tensor, begin, size);
    slice_util.assertParamsValid(tensor, starts, shape);
    return cut(x, starts, shape);
  }),
  StridedSlice: kernel<StridedSliceAttrs>(({ x }, attrs) => {
    const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
    const info = slice_util.sliceInfo(
      [...x.shape],
      attrs.begin,
      attrs.end,
      attrs.strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    if (info.finalShapeSparse.includes(0) || info.finalShape.includes(0)) return undefined;
    if (info.isIdentity) return reshape(x, info.finalShape);
    const { begin, end, strides } = info;
    const shape = begin.map((from, i) => Math.ceil((end[i] - from) / strides[i]));
    return reshape(cut(x, begin, shape, strides), info.finalShape);
  }),
  Reverse: kernel<ReverseAttrs>(({ x }, { dims }) => reversed(x, util.parseAxisParam(dims, [...x.shape]))),
  FlipLeftRight: kernel(({ image }) => reversed(image, [2])),
  PadV2: kernel<PadV2Attrs>(({ x }, { paddings, constantValue }) => pad(x, paddings, constantValue)),
  MirrorPad: kernel<MirrorPadAttrs>(({ x }, { paddings, mode }) => {
    if (x.dtype === 'float32' && mode === 'reflect') return padded(x, paddings, 'reflect');
    const offset = mode === 'reflect' ? 1 : 0;
    return paddings.reduce((y, [before, after], axis) => {
      if (before + after === 0) return y;
      const n = y.shape[axis];
      const places = Array.from({ length: before + n + after }, (_, i) => {
        if (i < before) return before - i - 1 + offset;
        const past = i - before - n;
        return past < 0 ? i - before : n - 1 - past - offset;
      });
      return pick(y, axis, places);
    }, x);
  }),
};
