/**
 * The order in which a tensor's axes lie in memory: physical axis i is logical axis `layout[i]`. Logical shapes are tfjs' (images
 * NHWC, filters HWIO). Layouts are interned: equal ones are the same object, so `===` compares them.
 */
export type Layout = readonly number[];

const known = new Map<string, Layout>();

/** The one object for this order of axes. */
export function layoutOf(axes: readonly number[]): Layout {
  const key = axes.join();
  let layout = known.get(key);
  if (!layout) known.set(key, (layout = Object.freeze([...axes])));
  return layout;
}

const identities = Array.from({ length: 9 }, (_, rank) => layoutOf(Array.from({ length: rank }, (_, axis) => axis)));

/** The axes in tfjs' own order. */
export const plainLayout = (rank: number): Layout =>
  identities[rank] ?? layoutOf(Array.from({ length: rank }, (_, axis) => axis));

/** Images [N,H,W,C] as N, C, H, W: what convolutions and pools take. */
export const NCHW = layoutOf([0, 3, 1, 2]);

/** Filters [kh,kw,I,O] as O, I, kh, kw. */
export const OIHW = layoutOf([3, 2, 0, 1]);

/** A logical shape in the order of a layout. */
export const physical = <T>(shape: readonly T[], layout: Layout): T[] => layout.map((axis) => shape[axis]);

/** Where each logical axis lies: inverse(layout)[layout[i]] = i. */
export function inverse(layout: Layout): number[] {
  const positions = new Array<number>(layout.length);
  layout.forEach((axis, i) => (positions[axis] = i));
  return positions;
}

/** The permutation of physical axes that takes values from one layout to another, as ONNX's Transpose takes it. */
export function permutation(from: Layout, to: Layout): number[] {
  const positions = inverse(from);
  return to.map((axis) => positions[axis]);
}

/** Transposes values on the host: result axis i is axis `perm[i]` of `dims`. */
export function permute<T extends Float32Array | Int32Array | Uint8Array>(
  values: T,
  dims: readonly number[],
  perm: readonly number[],
): T {
  const result = values.slice() as T;
  const strides = new Array<number>(dims.length).fill(1);
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * dims[i + 1];
  const sizes = perm.map((axis) => dims[axis]);
  const steps = perm.map((axis) => strides[axis]);
  const index = new Array<number>(dims.length).fill(0);
  const last = sizes.length - 1;
  let from = 0;
  for (let to = 0; to < result.length;) {
    for (let i = 0; i < sizes[last]; i++) result[to++] = values[from + i * steps[last]]!;
    let axis = last - 1;
    for (; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < sizes[axis]) break;
      from -= index[axis] * steps[axis];
      index[axis] = 0;
    }
    if (axis < 0) break;
  }
  return result;
}
