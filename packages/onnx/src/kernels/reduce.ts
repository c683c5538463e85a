import {
  type AllAttrs,
  type ArgMaxAttrs,
  type CumsumAttrs,
  type MaxAttrs,
  type MeanAttrs,
  type SoftmaxAttrs,
  type SumAttrs,
  type TopKAttrs,
  util,
} from '@tensorflow/tfjs-core';
import { type DType, type Value, constant, ints, op, ops } from '../graph.js';
import { type Layout, inverse, layoutOf } from '../layout.js';
import { cast } from './elementwise.js';
import { type KernelTable, kernel } from './kernel.js';
import { reshape } from './views.js';

type Axes = number | readonly number[] | undefined;

const axesOf = (x: Value, axis: Axes): number[] => util.parseAxisParam(axis as number[], [...x.shape]);

/** The layout that is left when axes go. */
function layoutWithout(layout: Layout, axes: readonly number[]): Layout {
  const kept = layout.filter((axis) => !axes.includes(axis));
  const sorted = [...kept].sort((a, b) => a - b);
  return layoutOf(kept.map((axis) => sorted.indexOf(axis)));
}

/** One of ONNX' reductions, in the layout of x. */
export function reduce(name: string, x: Value, axis: Axes, keepDims: boolean): Value {
  const axes = axesOf(x, axis);
  const shape = x.shape.flatMap((n, i) => (!axes.includes(i) ? [n] : keepDims ? [1] : []));
  if (axes.every((i) => x.shape[i] === 1)) return reshape(x, shape);
  const layout = keepDims ? x.layout : layoutWithout(x.layout, axes);
  const place = inverse(x.layout);
  const places = axes.map((i) => place[i]).sort((a, b) => a - b);
  const keepdims = keepDims ? 1 : 0;
  if (name === 'ReduceSum') return op(name, [x.slot, ints(places)], { shape, layout }, { keepdims });
  return op(name, [x.slot], { shape, layout }, { axes: places, keepdims });
}

/** A reduction of truth values as one of whole numbers. */
const reduceBool = (name: string, x: Value, axis: Axes, keepDims: boolean): Value =>
  cast(reduce(name, cast(x, 'int32'), axis, keepDims), 'bool');

const widened = (x: Value): Value => (x.dtype === 'bool' ? cast(x, 'int32') : x);

/** The largest or smallest along axes. */
const extreme = (name: string) => (x: Value, axis: Axes, keepDims: boolean) => {
  if (x.size === 0) return undefined;
  return x.dtype === 'bool' ? reduceBool(name, x, axis, keepDims) : reduce(name, x, axis, keepDims);
};
const [largest, smallest] = [extreme('ReduceMax'), extreme('ReduceMin')];

/** Where the first largest or smallest lies along an axis. */
function argument(name: 'ArgMax' | 'ArgMin', input: Value, axis: number): Value | undefined {
  const x = widened(input);
  const [at] = axesOf(x, axis ?? 0) as [number];
  if (x.size === 0) return undefined;
  const shape = x.shape.filter((_, i) => i !== at);
  const layout = layoutWithout(x.layout, [at]);
  const places = op(name, [x.slot], { shape, layout, dtype: 'int64' }, { axis: inverse(x.layout)[at], keepdims: 0 });
  return cast(places, 'int32');
}

export const reduceKernels: KernelTable = {
  Sum: kernel<SumAttrs>(({ x }, { axis, keepDims }) => reduce('ReduceSum', widened(x), axis, keepDims)),
  Mean: kernel<MeanAttrs>(({ x }, { axis, keepDims }) => reduce('ReduceMean', cast(x, 'float32'), axis, keepDims)),
  Prod: kernel<SumAttrs>(({ x }, { axis, keepDims }) =>
    x.size === 0 ? undefined : reduce('ReduceProd', widened(x), axis, keepDims),
  ),
  Max: kernel<MaxAttrs>(({ x }, { reductionIndices, keepDims }) => largest(x, reductionIndices, keepDims)),
  Min: kernel<SumAttrs>(({ x }, { axis, keepDims }) => smallest(x, axis, keepDims)),
  All: kernel<AllAttrs>(({ x }, { axis, keepDims }) => smallest(x, axis, keepDims)),
  Any: kernel<AllAttrs>(({ x }, { axis, keepDims }) => largest(x, axis, keepDims)),
  ArgMax: kernel<ArgMaxAttrs>(({ x }, { axis }) => argument('ArgMax', x, axis)),
  ArgMin: kernel<ArgMaxAttrs>(({ x }, { axis }) => argument('ArgMin', x, axis)),

  Softmax: kernel<SoftmaxAttrs>(({ logits }, { dim }) => {
    const axis = inverse(logits.layout)[dim < 0 ? dim + logits.rank : dim];
    return op('Softmax', [logits.slot], { shape: logits.shape, layout: logits.layout }, { axis });
  }),
  Cumsum: kernel<CumsumAttrs>(({ x }, { axis, exclusive, reverse }) => {
    const input = widened(x);
    const [at] = axesOf(input, axis) as [number];
    const { layout, shape } = input;
    const place = constant(inverse(layout)[at], [], 'int64');
    return op('CumSum', [input.slot, place], { shape, layout }, { exclusive: +exclusive, reverse: +reverse });
  }),
  TopK: kernel<TopKAttrs>(({ x }, { k }) => {
    if (x.dtype === 'bool' || x.size === 0 || k === 0) return undefined;
    const shape = [...x.shape.slice(0, -1), k];
    const outs: { shape: number[]; dtype: DType }[] = [
      { shape, dtype: x.dtype },
      { shape, dtype: 'int64' },
    ];
    const [values, places] = ops('TopK', [x.in(), ints([k])], outs, { axis: x.rank - 1, largest: 1, sorted: 1 });
    return [values, cast(places, 'int32')];
  }),
};
