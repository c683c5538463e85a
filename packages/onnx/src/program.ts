import type { Node, Slot } from './graph.js';

/** A part of the recorded graph, in an order in which it can run. */
export interface Program {
  readonly nodes: readonly Node[];
  /** Slots with values of the host, each an input. */
  readonly leaves: readonly Slot[];
  readonly constants: readonly Slot[];
  readonly outputs: readonly Slot[];
  /** The number of each slot: programs of equal structure number theirs alike. */
  readonly numbers: ReadonlyMap<Slot, number>;
  /** Equal for programs that differ in the values of their leaves only. */
  readonly key: string;
}

/** What has to run for these slots, and nothing else. */
export function collect(outputs: readonly Slot[]): Program {
  const nodes = reachable(outputs);
  const numbers = new Map<Slot, number>();
  const leaves: Slot[] = [];
  const constants: Slot[] = [];
  const key: number[] = [];
  const enter = (slot: Slot): number => {
    const known = numbers.get(slot);
    if (known !== undefined) return known;
    const number = numbers.size;
    numbers.set(slot, number);
    (slot.constant ? constants : leaves).push(slot);
    key.push(slot.signature);
    return number;
  };
  for (const node of nodes) {
    for (const input of node.inputs) key.push(input ? enter(input) : -1);
    key.push(-2 - node.signature);
    for (const output of node.outputs) numbers.set(output, numbers.size);
  }
  for (const output of outputs) key.push(enter(output));
  return { nodes, leaves, constants, outputs, numbers, key: key.join() };
}

function reachable(outputs: readonly Slot[]): Node[] {
  const found = new Set<Node>();
  const open = outputs.flatMap(({ node }) => node ?? []);
  for (let node = open.pop(); node; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const input of node.inputs) if (input?.node && !found.has(input.node)) open.push(input.node);
  }
  return [...found].sort((a, b) => a.id - b.id);
}
