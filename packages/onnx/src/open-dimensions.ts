import { ArgumentError } from '@convkit/core';
import { type Node, type Slot, ints, raw } from './graph.js';
import type { Trace } from './trace.js';

/** A node with its inputs, which may be others than those it was recorded with. */
export interface GraphNode {
  readonly node: Pick<Node, 'op' | 'domain' | 'attributes' | 'outputs'>;
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
 * The graph of traces that differ in sizes of their input: what they say differently is computed from shapes when the graph
 * runs. `names` are those of the input's axes in memory. Throws ArgumentError where the graph depends on the size in another way.
 */
export function openGraph(a: Trace<unknown>, others: readonly Trace<unknown>[], names: readonly string[]): OpenGraph {
  const twins = others.map((other) => pair(a, other));
  const sizes: Sizes = (slot) => [slot, ...twins.map(({ slots }) => slots.get(slot) ?? slot)].map(({ dims }) => dims);
  const nodes: GraphNode[] = [];
  const earlier = [a.input];
  for (const node of a.program.nodes) {
    const inputs = node.inputs.map((slot, place) => {
      if (!slot?.isConstant) return slot;
      const lists = [slot, ...twins.map((twin) => (twin.nodes.get(node) ?? node).inputs[place]!)].map(({ constant }) =>
        Array.from(constant!),
      );
      if (lists.every((list) => sameNumbers(list, lists[0]))) return slot;
      const made = openList(node, slot, lists, earlier, sizes);
      for (const extra of made.nodes) nodes.push({ node: extra, inputs: extra.inputs });
      return made.list;
    });
    nodes.push({ node, inputs });
    earlier.push(...node.outputs);
  }
  const open = (slot: Slot, own: (axis: number) => string): Dimensions =>
    slot.dims.map((n, axis) => {
      const found = along(sizes(slot), axis);
      if (found.every((size) => size === n)) return n;
      const same = a.input.dims.findIndex((_, i) => sameNumbers(along(sizes(a.input), i), found));
      return same >= 0 ? names[same] : own(axis);
    });
  return {
    nodes,
    input: open(a.input, (axis) => names[axis]),
    outputs: a.program.outputs.map((slot, i) => open(slot, (axis) => `output${i}_${axis}`)),
  };
}

/** The dimensions of a slot in each trace. */
type Sizes = (slot: Slot) => readonly (readonly number[])[];

const along = (dims: readonly (readonly number[])[], axis: number): number[] => dims.map((each) => each[axis]);

interface Twins {
  readonly slots: ReadonlyMap<Slot, Slot>;
  readonly nodes: ReadonlyMap<Node, Node>;
}

/** Each slot and node of one trace with that of the other that does its work. Constants are one object wherever they are used. */
function pair(a: Trace<unknown>, b: Trace<unknown>): Twins {
  const slots = new Map<Slot, Slot>([[a.input, b.input]]);
  const nodes = new Map<Node, Node>();
  const open: [Slot, Slot][] = a.program.outputs.map((slot, i) => [slot, b.program.outputs[i]]);
  for (let next = open.pop(); next; next = open.pop()) {
    const [x, y] = next;
    if (x.isConstant && y.isConstant) continue;
    if (x === y || slots.get(x) === y) continue;
    if (slots.has(x)) throw refusal(x, 'is used otherwise');
    slots.set(x, y);
    if (!x.node || !y.node) {
      const alike = !x.node && !y.node && !x.isConstant && !y.isConstant && sameNumbers(x.dims, y.dims);
      if (!alike || !sameNumbers(x.data!, y.data!)) throw refusal(x, 'has other values');
      continue;
    }
    const [m, n] = [x.node, y.node];
    const attributes = JSON.stringify(m.attributes) === JSON.stringify(n.attributes);
    if (m.op !== n.op || !attributes || m.inputs.length !== n.inputs.length) throw refusal(x, 'is computed otherwise');
    nodes.set(m, n);
    m.outputs.forEach((slot, i) => slots.set(slot, n.outputs[i]));
    m.inputs.forEach((slot, i) => slot && open.push([slot, n.inputs[i]!]));
  }
  return { slots, nodes };
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

/** An int64 list whose numbers follow sizes of `earlier` slots; `lists`: what it is in each trace. */
function openList(
  node: Node,
  { dtype }: Slot,
  lists: readonly (readonly number[])[],
  earlier: readonly Slot[],
  sizes: Sizes,
): OpenList {
  if (dtype !== 'int64' || lists.some(({ length }) => length !== lists[0].length)) {
    throw refusal(node.outputs[0], 'needs another list');
  }
  const own = node.op === 'Reshape' ? reshapeTarget(sizes(node.inputs[0]!), lists) : undefined;
  if (own) return { list: ints(own), nodes: [] };
  const nodes: Node[] = [];
  const record = (name: string, inputs: readonly Slot[], size: number, attributes = {}): Slot => {
    const slot = raw(name, inputs, [size], attributes, 'int64');
    nodes.push(slot.node!);
    return slot;
  };
  const sources = [...node.inputs.flatMap((slot) => (slot && !slot.isConstant ? [slot] : [])), ...earlier];
  const parts = lists[0].map((n, i) => {
    const wanted = along(lists, i);
    if (wanted.every((size) => size === n)) return ints([n]);
    const found = sourceOf(wanted, sources, sizes);
    if (!found) throw refusal(node.outputs[0], `needs ${wanted.join(' or ')}, which no size gives`);
    const shape = record('Shape', [found.slot], found.slot.dims.length);
    const size = record('Gather', [shape, ints([found.axis])], 1, { axis: 0 });
    if (found.times === 1) return size;
    return found.times > 1
      ? record('Mul', [size, ints([found.times])], 1)
      : record('Div', [size, ints([Math.round(1 / found.times)])], 1);
  });
  const list = parts.length === 1 && parts[0].node ? parts[0] : record('Concat', parts, parts.length, { axis: 0 });
  return { list, nodes };
}

/** Reshape's own way to follow sizes: 0 keeps the axis of the input, −1 is what is left. */
function reshapeTarget(x: readonly (readonly number[])[], lists: readonly (readonly number[])[]): number[] | undefined {
  let left = 0;
  const target = lists[0].map((n, axis) => {
    const wanted = along(lists, axis);
    if (wanted.every((size) => size === n)) return n;
    if (sameNumbers(along(x, axis), wanted)) return 0;
    left++;
    return -1;
  });
  return left > 1 || lists[0].includes(0) ? undefined : target;
}

/**
 * An axis whose size is the wanted number in every trace; else one that is it times a whole number; else one that is it divided by one,
 * which may be right for the traced sizes only by chance.
 */
function sourceOf(wanted: readonly number[], sources: readonly Slot[], sizes: Sizes) {
  for (const fits of [(times: number) => times === 1, Number.isInteger, (times: number) => Number.isInteger(1 / times)]) {
    for (const slot of sources) {
      for (const [axis, n] of slot.dims.entries()) {
        const times = wanted[0] / n;
        if (fits(times) && along(sizes(slot), axis).every((size, i) => wanted[i] / size === times)) return { slot, axis, times };
      }
    }
  }
  return undefined;
}
