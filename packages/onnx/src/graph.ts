import { type Layout, OIHW, permutation, permute, physical, plainLayout } from './layout.js';

/** tfjs' types, and the int64 of ONNX' shapes and indices, which no tfjs tensor holds. */
export type DType = 'float32' | 'int32' | 'bool' | 'int64';

/** `portable`: only ONNX' own ops are recorded, and the same ones for every batch size: the graph is for a file or an optimiser. */
export const recording = { portable: false };

export type HostValues = Float32Array | Int32Array | Uint8Array;

/** An attribute of an ONNX node: whole numbers are ints, `{ float }` is a float, `{ floats }` a list of them. */
export type Attribute = number | readonly number[] | string | { readonly float: number } | { readonly floats: readonly number[] };
export type Attributes = Readonly<Record<string, Attribute>>;

/** A tensor as it lies in memory: the result of a node, or values of the host. */
export class Slot {
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** The node that computes it; undefined once it has been run. */
  node: Node | undefined;
  /** Which output of the node. */
  readonly index: number;
  data: HostValues | undefined;
  /** Of constants, which belong to the graph's structure: shapes, axes, numbers of a formula. */
  readonly #constant: ArrayLike<number> | (() => ArrayLike<number>) | undefined;
  /** What stands for the values of a long constant in the graph's structure. */
  readonly #name: string | undefined;
  /** What the runtime made of `data`. */
  bound: unknown;
  /** What was made of this slot, by name; most slots have none. */
  #views: Map<string, Slot> | undefined;
  /** The pass of `collect` that numbered this slot last, and the number. */
  pass = 0;
  number = 0;

  constructor(
    dtype: DType,
    dims: readonly number[],
    source: {
      node?: Node;
      index?: number;
      data?: HostValues;
      constant?: ArrayLike<number> | (() => ArrayLike<number>);
      name?: string;
    },
  ) {
    this.dtype = dtype;
    this.dims = dims;
    this.node = source.node;
    this.index = source.index ?? 0;
    this.data = source.data;
    this.#constant = source.constant;
    this.#name = source.name;
  }

  get isConstant(): boolean {
    return this.#constant !== undefined;
  }

  /** The values of a constant; those of a table are made anew, for the graph that is loaded. */
  get constant(): ArrayLike<number> | undefined {
    return typeof this.#constant === 'function' ? this.#constant() : this.#constant;
  }

  /** A number for the values of a constant, above 0; 0 for an input, whose values may be others in each run. */
  get signature(): number {
    if (!this.isConstant) return 0;
    return (this.#signature ??= intern(this.#name ?? `=${Array.from(this.constant!).join()}`));
  }

  #signature: number | undefined;

  /** What was made of this slot under a name: a reshape, a transpose, its mean. */
  view(name: string): Slot | undefined {
    return this.#views?.get(name);
  }

  keepView(name: string, view: Slot): void {
    (this.#views ??= new Map<string, Slot>()).set(name, view);
  }

  /** The result of an earlier node that was run. */
  settle(data: HostValues): void {
    this.data = data;
    this.node = undefined;
    this.#views = undefined;
  }
}

/** A recorded ONNX operation. */
export class Node {
  /** Grows from node to node: a node's inputs have smaller ones. */
  readonly id: number;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly (Slot | undefined)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Slot[];
  /** A number for op, attributes and how many outputs there are. */
  readonly signature: number;
  /** The pass of `collect` that found this node last. */
  pass = 0;

  constructor(op: string, inputs: readonly (Slot | undefined)[], outs: readonly Physical[], attributes: Attributes) {
    this.id = nextId++;
    const colon = op.indexOf(':');
    this.domain = colon < 0 ? '' : op.slice(0, colon);
    this.op = colon < 0 ? op : op.slice(colon + 1);
    this.inputs = inputs;
    this.attributes = attributes;
    this.outputs = outs.map(({ dtype, dims }, index) => new Slot(dtype, dims, { node: this, index }));
    const plain = attributes === NO_ATTRIBUTES && outs.length === 1;
    this.signature = intern(plain ? op : `${op} ${outs.length} ${JSON.stringify(attributes)}`);
  }
}

/** Those of most nodes. */
const NO_ATTRIBUTES: Attributes = {};

interface Physical {
  readonly dtype: DType;
  readonly dims: readonly number[];
}

let nextId = 0;
const numbers = new Map<string, number>();

/** The same number, above 0, for the same text. */
function intern(text: string): number {
  let number = numbers.get(text);
  if (number === undefined) numbers.set(text, (number = numbers.size + 1));
  return number;
}

/** A tfjs tensor: its logical shape, and the slot that holds it in some layout. `slot` and `layout` may be replaced together. */
export class Value {
  readonly shape: readonly number[];
  slot: Slot;
  layout: Layout;

  constructor(slot: Slot, shape: readonly number[], layout: Layout = plainLayout(shape.length)) {
    this.slot = slot;
    this.shape = shape;
    this.layout = layout;
  }

  get dtype(): DType {
    return this.slot.dtype;
  }

  get rank(): number {
    return this.shape.length;
  }

  get size(): number {
    return this.shape.reduce((product, n) => product * n, 1);
  }

  /** The slot with the axes in this layout (default: tfjs' order), transposed once if it lies otherwise. */
  in(layout: Layout = plainLayout(this.rank)): Slot {
    if (layout === this.layout) return this.slot;
    const perm = permutation(this.layout, layout);
    const { slot } = this;
    // A weight from the host stays in the layout it is asked for in: it is used again, and so is what the optimizer makes of it.
    if (slot.data && !slot.isConstant && (layout === OIHW || this.rank === 2)) {
      this.slot = new Slot(slot.dtype, physical(this.shape, layout), { data: permute(slot.data, slot.dims, perm) });
      this.layout = layout;
      return this.slot;
    }
    return transposed(slot, perm);
  }
}

/** What a node gives: type (default: that of its first input), logical shape, and layout (default: tfjs' order). */
export interface Out {
  readonly dtype?: DType;
  readonly shape: readonly number[];
  readonly layout?: Layout;
}

export type Operand = Slot | undefined;

/** Records an ONNX node with one output. `op`: its name, or `domain:name` outside of ONNX' own. */
export function op(name: string, inputs: readonly Operand[], out: Out, attributes: Attributes = NO_ATTRIBUTES): Value {
  return ops(name, inputs, [out], attributes)[0];
}

/** Records an ONNX node with several outputs. */
export function ops(
  name: string,
  inputs: readonly Operand[],
  outs: readonly Out[],
  attributes: Attributes = NO_ATTRIBUTES,
): Value[] {
  const physicals = outs.map(({ dtype, shape, layout }) => ({
    dtype: dtype ?? inputs[0]!.dtype,
    dims: layout ? physical(shape, layout) : shape,
  }));
  const node = new Node(name, inputs, physicals, attributes);
  return outs.map(({ shape, layout }, i) => new Value(node.outputs[i], shape, layout));
}

/** Records an ONNX node on memory alone: one output of these physical dimensions. */
export function raw(
  name: string,
  inputs: readonly Operand[],
  dims: readonly number[],
  attributes: Attributes = NO_ATTRIBUTES,
  dtype?: DType,
): Slot {
  return new Node(name, inputs, [{ dtype: dtype ?? inputs[0]!.dtype, dims }], attributes).outputs[0];
}

/** The axes of a slot in another order: result axis i is axis `perm[i]`. Undoes an earlier transpose instead of adding to it. */
export function transposed(slot: Slot, perm: readonly number[]): Slot {
  if (perm.every((axis, i) => axis === i)) return slot;
  const long = perm.filter((axis) => slot.dims[axis] !== 1);
  if (long.every((axis, i) => i === 0 || axis > long[i - 1]))
    return reshaped(
      slot,
      perm.map((axis) => slot.dims[axis]),
    );
  const { node } = slot;
  if (node?.op === 'Transpose') {
    const first = node.attributes.perm as readonly number[];
    return transposed(
      node.inputs[0]!,
      perm.map((axis) => first[axis]),
    );
  }
  return view(slot, `T${perm.join()}`, () =>
    raw(
      'Transpose',
      [slot],
      perm.map((axis) => slot.dims[axis]),
      { perm },
    ),
  );
}

/** The same values in other physical dimensions. */
export function reshaped(slot: Slot, dims: readonly number[]): Slot {
  if (dims.length === slot.dims.length && dims.every((n, i) => n === slot.dims[i])) return slot;
  if (slot.node?.op === 'Reshape') return reshaped(slot.node.inputs[0]!, dims);
  return view(slot, `R${dims.join()}`, () => raw('Reshape', [slot, ints(dims)], dims));
}

/** What is made of a slot, recorded once. */
export function view(slot: Slot, name: string, make: () => Slot): Slot {
  let found = slot.view(name);
  if (!found) slot.keepView(name, (found = make()));
  return found;
}

/** A constant of the graph's structure: int64 values of one axis, as ONNX takes shapes, axes and offsets. */
export function ints(values: readonly number[]): Slot {
  return constant(values, [values.length], 'int64');
}

/** A constant of the graph's structure; default: a float32 scalar. Another value makes another graph. */
export function constant(values: number | readonly number[], dims: readonly number[] = [], dtype: DType = 'float32'): Slot {
  const list = typeof values === 'number' ? [values] : values;
  const key = `${dtype}[${dims.join()}]${list.join()}`;
  let slot = constants.get(key)?.deref();
  if (!slot) constants.set(key, new WeakRef((slot = new Slot(dtype, dims, { constant: list }))));
  return slot;
}

const constants = new Map<string, WeakRef<Slot>>();

/**
 * A long constant of the graph's structure. The name says what it holds, to the last value, which nothing keeps: `make` runs when a graph
 * is loaded, and not when it is replayed.
 */
export function table(name: string, dims: readonly number[], dtype: DType, make: () => ArrayLike<number>): Slot {
  let slot = tables.get(name);
  if (!slot) tables.set(name, (slot = new Slot(dtype, dims, { constant: make, name })));
  return slot;
}

const tables = new Map<string, Slot>();
