import { ArgumentError } from '@convkit/core';
import { type Node, type Slot, ints, raw } from './graph.js';
import type { Trace } from './trace.js';

/** A node with its inputs, which may be others than those it was recorded with. */
export interface GraphNode {
  readonly node: Node;
  readonly inputs: readonly (Slot | undefined)[];
}

/** A trace whose dimensions may be open: named, and known only when it runs. */
export interface OpenGraph {
  readonly nodes: readonly GraphNode[];
  readonly input: Dimensions;
  readonly outputs: readonly Dimensions[];
}

export type Dimensions = readonly (number | string)[];

/** A trace as it is, for inputs of its own shape only. */
export function closedGraph({ program, input }: Trace<unknown>): OpenGraph {
  return {
    nodes: program.nodes.map((node) => ({ node, inputs: node.inputs })),
    input: input.dims,
    outputs: program.outputs.map(({ dims }) => dims),
  };
}

/**
 * The graph of two traces that differ in sizes of their input: what they say differently is computed from shapes when the graph
 * runs. `names` are those of the input's axes in memory. Throws ArgumentError where the graph depends on the size in another way.
 */
export function openGraph(a: Trace<unknown>, b: Trace<unknown>, names: readonly string[]): OpenGraph {
  const twins = pair(a, b);
  const twin = (slot: Slot): Slot => twins.get(slot) ?? slot;
  const sources = (node: Node): Slot[] => [...node.inputs.flatMap((slot) => (slot && !slot.constant ? [slot] : [])), a.input];
  const nodes: GraphNode[] = [];
  for (const node of a.program.nodes) {
    const inputs = node.inputs.map((slot) => {
      if (!slot?.constant || slot === twin(slot) || sameNumbers(slot.constant, twin(slot).constant!)) return slot;
      const made = openList(node, slot, twin(slot), sources(node), twin);
      for (const extra of made.nodes) nodes.push({ node: extra, inputs: extra.inputs });
      return made.list;
    });
    nodes.push({ node, inputs });
  }
  const open = (slot: Slot, own: (axis: number) => string): Dimensions =>
    slot.dims.map((n, axis) => {
      const other = twin(slot).dims[axis];
      if (n === other) return n;
      const same = a.input.dims.findIndex((size, i) => size === n && b.input.dims[i] === other);
      return same >= 0 ? names[same] : own(axis);
    });
  return {
    nodes,
    input: open(a.input, (axis) => names[axis]),
    outputs: a.program.outputs.map((slot, i) => open(slot, (axis) => `output${i}_${axis}`)),
  };
}

/** Each slot of one trace with the slot of the other that does its work. */
function pair(a: Trace<unknown>, b: Trace<unknown>): Map<Slot, Slot> {
  const twins = new Map<Slot, Slot>([[a.input, b.input]]);
  const open: [Slot, Slot][] = a.program.outputs.map((slot, i) => [slot, b.program.outputs[i]]);
  for (let next = open.pop(); next; next = open.pop()) {
    const [x, y] = next;
    if (x === y || twins.get(x) === y) continue;
    if (twins.has(x)) throw refusal(x, 'is used otherwise');
    twins.set(x, y);
    if (!x.node || !y.node) {
      const alike = !x.node && !y.node && sameNumbers(x.dims, y.dims) && (x.constant || sameNumbers(x.data!, y.data!));
      if (!alike && !(x.constant && y.constant)) throw refusal(x, 'has other values');
      continue;
    }
    const [m, n] = [x.node, y.node];
    const attributes = JSON.stringify(m.attributes) === JSON.stringify(n.attributes);
    if (m.op !== n.op || !attributes || m.inputs.length !== n.inputs.length) throw refusal(x, 'is computed otherwise');
    m.outputs.forEach((slot, i) => twins.set(slot, n.outputs[i]));
    m.inputs.forEach((slot, i) => slot && open.push([slot, n.inputs[i]!]));
  }
  return twins;
}

const refusal = ({ node, dims }: Slot, what: string): ArgumentError =>
  new ArgumentError(
    `The net does not take inputs of other sizes: ${node?.op ?? 'a tensor'} [${dims}] ${what}. Fix the size, or the batch.`,
  );

const sameNumbers = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

interface OpenList {
  readonly list: Slot;
  readonly nodes: readonly Node[];
}

/** An int64 list whose numbers follow the input's size. */
function openList(
  node: Node,
  { constant: from, dtype }: Slot,
  other: Slot,
  sources: readonly Slot[],
  twin: (slot: Slot) => Slot,
) {
  const to = other.constant!;
  if (dtype !== 'int64' || from!.length !== to.length) throw refusal(node.outputs[0], 'needs another list');
  const own = node.op === 'Reshape' ? reshapeTarget(node.inputs[0]!, from!, to, twin) : undefined;
  if (own) return { list: ints(own), nodes: [] };
  const nodes: Node[] = [];
  const record = (name: string, inputs: readonly Slot[], size: number, attributes = {}): Slot => {
    const slot = raw(name, inputs, [size], attributes, 'int64');
    nodes.push(slot.node!);
    return slot;
  };
  const parts = from!.map((n, i) => {
    if (n === to[i]) return ints([n]);
    const found = sourceOf(n, to[i], sources, twin);
    if (!found) throw refusal(node.outputs[0], `needs ${n} or ${to[i]}, which no size gives`);
    const shape = record('Shape', [found.slot], found.slot.dims.length);
    const size = record('Gather', [shape, ints([found.axis])], 1, { axis: 0 });
    if (found.times === 1) return size;
    return found.times > 1
      ? record('Mul', [size, ints([found.times])], 1)
      : record('Div', [size, ints([Math.round(1 / found.times)])], 1);
  });
  const list = parts.length === 1 && parts[0].node ? parts[0] : record('Concat', parts, parts.length, { axis: 0 });
  return { list, nodes } satisfies OpenList;
}

/** Reshape's own way to follow sizes: 0 keeps the axis of the input, −1 is what is left. */
function reshapeTarget(
  x: Slot,
  from: readonly number[],
  to: readonly number[],
  twin: (slot: Slot) => Slot,
): number[] | undefined {
  const before = twin(x).dims;
  let left = 0;
  const target = from.map((n, axis) => {
    if (n === to[axis]) return n;
    if (x.dims[axis] === n && before[axis] === to[axis]) return 0;
    left++;
    return -1;
  });
  return left > 1 || from.includes(0) ? undefined : target;
}

/** An axis whose size, times a whole number or divided by one, is `n` in one trace and `m` in the other. */
function sourceOf(n: number, m: number, sources: readonly Slot[], twin: (slot: Slot) => Slot) {
  for (const slot of sources) {
    for (const [axis, size] of slot.dims.entries()) {
      const other = twin(slot).dims[axis];
      const times = n / size;
      if (size !== other && m / other === times && (Number.isInteger(times) || Number.isInteger(1 / times))) {
        return { slot, axis, times };
      }
    }
  }
  return undefined;
}
