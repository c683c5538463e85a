import { type Attributes, type DType, type Slot, Value, constant, op, recording, reshaped, transposed } from '../graph.js';
import { type Layout, NCHW, plainLayout } from '../layout.js';

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
 * Operands of an elementwise op in one layout: that of an operand of full size which does not lie in tfjs' order, rather one that
 * is still to be computed, so that a chain of ops stays in the layout in which its convolution gave it.
 */
export function align(values: readonly Value[]): { slots: Slot[]; shape: readonly number[]; layout: Layout } {
  const shape = broadcastShape(values.map((value) => value.shape));
  const layout = commonLayout(values, shape);
  return { slots: values.map((value) => broadcastable(value, shape.length, layout)), shape, layout };
}

function commonLayout(values: readonly Value[], shape: readonly number[]): Layout {
  const size = shape.reduce((product, n) => product * n, 1);
  const full = values.filter((value) => value.rank === shape.length && value.size === size);
  const own = full.filter((value) => value.layout !== plainLayout(value.rank));
  const lead = own.find(({ slot }) => slot.node) ?? own[0];
  if (lead) return lead.layout;
  // What becomes an image by broadcasting meets others as NCHW.
  return full.length === 0 && shape.length === 4 ? NCHW : plainLayout(shape.length);
}

/** A slot that broadcasts against tensors of this rank and layout. */
export function broadcastable(value: Value, rank: number, layout: Layout): Slot {
  if (value.rank === rank) return value.in(layout);
  if (value.rank === 0) return scalar(value.slot, rank);
  if (layout === plainLayout(rank)) return value.in();
  const shape = [...new Array<number>(rank - value.rank).fill(1), ...value.shape];
  return transposed(reshaped(value.in(), shape), layout);
}

/**
 * A number for tensors of this rank: with as many axes as they have. Against tensors that end in axes of length 1, such as the
 * filters of a 1×1 convolution, ONNX Runtime takes a number without axes element by element, 20 times as slowly.
 */
function scalar(slot: Slot, rank: number): Slot {
  if (rank < 2 || recording.portable) return slot;
  const dims = new Array<number>(rank).fill(1);
  return slot.isConstant ? constant(slot.constant![0], dims, slot.dtype) : reshaped(slot, dims);
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
