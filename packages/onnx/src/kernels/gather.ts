import type { GatherV2Attrs, OneHotAttrs, ScatterNdAttrs, UnsortedSegmentSumAttrs } from '@tensorflow/tfjs-core';
import { type Slot, Value, constant, ints, op, raw, reshaped } from '../graph.js';
import { inverse, layoutOf } from '../layout.js';
import { elementwise } from './broadcast.js';
import { cast, filled } from './elementwise.js';
import { type KernelTable, kernel } from './kernel.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
const whole = (n: number): Value => new Value(constant(n, [], 'int32'), []);

/** Parts of x at places along an axis: the indices' axes take that axis' place, in memory too. */
function gather(x: Value, indices: Value, axis: number): Value {
  const added = indices.rank - 1;
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const layout = x.layout.flatMap((own) => {
    if (own === axis) return indices.shape.map((_, i) => axis + i);
    return own < axis ? [own] : [own + added];
  });
  const attributes = { axis: inverse(x.layout)[axis] };
  return op('Gather', [x.slot, indices.in()], { shape, layout: layoutOf(layout) }, attributes);
}

/** Adds each of `rows` [n, size] to the row of `count` that `places` [n] names: [count, size]. */
function addRows(rows: Slot, places: Slot, count: number): Slot {
  const [n, size] = rows.dims as [number, number];
  const zeros = filled([count, size], 0, rows.dtype).slot;
  const spread = raw('Expand', [reshaped(places, [n, 1]), ints([n, size])], [n, size]);
  return raw('ScatterElements', [zeros, spread, rows], [count, size], { axis: 0, reduction: 'add' });
}

export const gatherKernels: KernelTable = {
  GatherV2: kernel<GatherV2Attrs>(({ x, indices }, { axis, batchDims = 0 }) => {
    const at = axis < 0 ? axis + x.rank : axis;
    if (indices.dtype !== 'int32') return undefined;
    if (batchDims === 0) return gather(x, indices, at);
    if (at !== batchDims) return undefined;
    const shape = [...indices.shape, ...x.shape.slice(at + 1)];
    const places = reshaped(cast(indices, 'int64').in(), [...indices.shape, 1]);
    return op('GatherND', [x.in(), places], { shape }, { batch_dims: batchDims });
  }),
  GatherNd: kernel(({ params, indices }) => {
    if (params.size === 0 || indices.size === 0) return undefined;
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(indices.shape.at(-1))];
    return op('GatherND', [params.in(), cast(indices, 'int64').in()], { shape });
  }),
  // Equal indices add up: rows of a matrix, named by their place in the axes that the indices cover.
  ScatterNd: kernel<ScatterNdAttrs>(({ indices, updates }, { shape }) => {
    const depth = indices.rank > 1 ? indices.shape.at(-1)! : 1;
    const count = indices.size / depth;
    const size = sizeOf(shape.slice(depth));
    if (count === 0 || size === 0 || updates.dtype === 'bool' || updates.size !== count * size) return undefined;
    const strides = shape.slice(0, depth).map((_, i) => sizeOf(shape.slice(i + 1, depth)));
    const weights = constant(strides, [depth, 1], 'int32');
    const places = raw('MatMul', [reshaped(indices.in(), [count, depth]), weights], [count, 1]);
    const sums = addRows(reshaped(updates.in(), [count, size]), places, sizeOf(shape.slice(0, depth)));
    return new Value(reshaped(sums, shape), shape);
  }),
  // Rows of a segment that is not asked for go to one more, which is cut off.
  UnsortedSegmentSum: kernel<UnsortedSegmentSumAttrs>(({ x, segmentIds }, { numSegments }) => {
    if (x.size === 0 || numSegments === 0) return undefined;
    const rest = x.shape.slice(segmentIds.rank);
    const size = sizeOf(rest);
    const below = elementwise('Less', [segmentIds, whole(0)], 'bool');
    const above = elementwise('Less', [whole(numSegments - 1), segmentIds], 'bool');
    const outside = elementwise('Or', [below, above], 'bool');
    const places = elementwise('Where', [outside, whole(numSegments), segmentIds], 'int32');
    const rows = reshaped(cast(x, 'float32').in(), [segmentIds.size, size]);
    const sums = addRows(rows, places.in(), numSegments + 1);
    const own = raw('Slice', [sums, ints([0]), ints([numSegments]), ints([0])], [numSegments, size]);
    const shape = [numSegments, ...rest];
    return new Value(reshaped(own, shape), shape);
  }),
  OneHot: kernel<OneHotAttrs>(({ indices }, { depth, onValue, offValue, dtype }) => {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') return undefined;
    const shape = [...indices.shape, depth];
    const classes = new Value(
      raw(
        'Range',
        [0, depth, 1].map((n) => constant(n, [], 'int32')),
        [depth],
        {},
        'int32',
      ),
      [depth],
    );
    const places = new Value(reshaped(indices.in(), [...indices.shape, 1]), [...indices.shape, 1]);
    const hot = op('Equal', [places.slot, classes.slot], { shape, dtype: 'bool' });
    if (onValue === 1 && offValue === 0) return cast(hot, dtype);
    const number = (n: number): Slot => constant(n, [], dtype);
    return op('Where', [hot.slot, number(onValue), number(offValue)], { shape, dtype });
  }),
};
