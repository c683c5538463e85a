import { type Attributes, type DType, type Slot, Value, op, reshaped, transposed } from '../graph.js';
import { type Layout, plainLayout } from '../layout.js';

/** The shape that ONNX and tfjs broadcast these to. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    shapes.reduce((size, shape) => {
      const n = shape[shape.length - rank + i] ?? 1;
      return n === 1 ? size : n;
    }, 1),
  );
}

/**
 * Operands of an elementwise op in one layout: that of the largest which is still to be computed, so that a chain of ops stays in
 * the layout in which its convolution gave it.
 */
export function align(values: readonly Value[]): { slots: Slot[]; shape: readonly number[]; layout: Layout } {
  const shape = broadcastShape(values.map((value) => value.shape));
  const full = values.filter((value) => value.rank === shape.length);
  const largest = Math.max(...full.map((value) => value.size));
  const candidates = full.filter((value) => value.size === largest);
  const lead = candidates.find(({ slot }) => slot.node) ?? candidates.find((value) => value.layout !== plainLayout(value.rank));
  const layout = lead?.layout ?? plainLayout(shape.length);
  return { slots: values.map((value) => broadcastable(value, shape.length, layout)), shape, layout };
}

/** A slot that broadcasts against tensors of this rank and layout. */
export function broadcastable(value: Value, rank: number, layout: Layout): Slot {
  if (value.rank === rank) return value.in(layout);
  if (value.size === 1 && value.rank === 0) return value.slot;
  if (layout === plainLayout(rank)) return value.in();
  const shape = [...new Array<number>(rank - value.rank).fill(1), ...value.shape];
  return transposed(reshaped(value.in(), shape), layout);
}

/** An op on elements that ONNX broadcasts; the result is of `dtype`, default that of the first operand. */
export function elementwise(name: string, values: readonly Value[], dtype?: DType, attributes?: Attributes): Value {
  if (values.length === 1) {
    const [x] = values as [Value];
    return op(name, [x.slot], { shape: x.shape, layout: x.layout, dtype }, attributes);
  }
  const { slots, shape, layout } = align(values);
  return op(name, slots, { shape, layout, dtype }, attributes);
}

/** A number of a formula as an operand. */
export function number(slot: Slot): Value {
  return new Value(slot, []);
}
