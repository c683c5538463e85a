import { Value, reshaped } from '../graph.js';
import { type Layout, inverse, layoutOf, physical, plainLayout } from '../layout.js';

/**
 * The same values in another shape. Where each run of axes that are joined or split lies together in memory, the others stay where
 * they are: [N,H,W,C] in NCHW becomes [N,HW,C] as N, C, HW without a transpose.
 */
export function reshape(x: Value, shape: readonly number[]): Value {
  const layout = layoutAfterReshape(x, shape);
  if (!layout) return new Value(reshaped(x.in(), shape), shape);
  return new Value(reshaped(x.slot, physical(shape, layout)), shape, layout);
}

/** Runs of axes, those of one alone left out, that hold the same values before and after a reshape. */
function runs(before: readonly number[], after: readonly number[]): { from: number[]; to: number[] }[] {
  const long = (shape: readonly number[]) => shape.flatMap((n, axis) => (n === 1 ? [] : [axis]));
  const [sources, targets] = [long(before), long(after)];
  const found: { from: number[]; to: number[] }[] = [];
  for (let i = 0, j = 0; i < sources.length && j < targets.length;) {
    const from = [sources[i++]];
    const to = [targets[j++]];
    let [a, b] = [before[from[0]], after[to[0]]];
    while (a !== b) {
      if (a < b) a *= before[from[from.push(sources[i++]) - 1]];
      else b *= after[to[to.push(targets[j++]) - 1]];
    }
    found.push({ from, to });
  }
  return found;
}

function layoutAfterReshape(x: Value, shape: readonly number[]): Layout | undefined {
  if (x.layout === plainLayout(x.rank) || x.size === 0) return undefined;
  const place = inverse(x.layout);
  const rank = x.layout.filter((axis) => x.shape[axis] !== 1);
  const inOrder = (axes: readonly number[]) =>
    axes.every((axis, i) => i === 0 || rank.indexOf(axis) === rank.indexOf(axes[i - 1]) + 1);
  const groups = runs(x.shape, shape);
  if (!groups.every(({ from }) => inOrder(from))) return undefined;
  const order = groups.sort((a, b) => place[a.from[0]] - place[b.from[0]]).flatMap(({ to }) => to);
  if (order.every((axis, i) => i === 0 || axis > order[i - 1])) return plainLayout(shape.length);
  // Axes of one go before the axis that follows them in the logical order.
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1) continue;
    const next = order.indexOf(axis + 1);
    order.splice(next < 0 ? order.length : next, 0, axis);
  }
  return layoutOf(order);
}

/** The axes in another order: nothing moves in memory. */
export function transpose(x: Value, perm: readonly number[]): Value {
  const to = inverse(layoutOf(perm));
  return new Value(
    x.slot,
    perm.map((axis) => x.shape[axis]),
    layoutOf(x.layout.map((axis) => to[axis])),
  );
}
