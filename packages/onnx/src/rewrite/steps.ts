import { type Attributes, type Operand, type Slot } from '../graph.js';
import type { GraphNode } from '../open-dimensions.js';

/** What gives and what takes the slots of a net. */
export interface Links {
  readonly source: (slot: Operand) => GraphNode | undefined;
  /** How many inputs of nodes and outputs of the net this slot is. */
  readonly readers: (slot: Slot) => number;
}

/** The nodes that give what a node gives, in a faster way; undefined: it stays. Nodes that nothing reads any more go. */
export type Rewrite = (found: GraphNode, links: Links) => readonly GraphNode[] | undefined;

/** A node that gives a slot in the place of the one that was recorded for it. */
export function giving(output: Slot, op: string, inputs: readonly Operand[], attributes: Attributes = {}): GraphNode {
  return { node: { op, domain: '', attributes, outputs: [output] }, inputs };
}

/** A node as it was recorded. */
export const recorded = ({ node }: Slot): GraphNode => ({ node: node!, inputs: node!.inputs });

/** Applies the rewrites, one after the other, to the nodes that lead to `outputs`. */
export function rewrite(
  nodes: readonly GraphNode[],
  outputs: readonly Slot[],
  rewrites: readonly Rewrite[],
): readonly GraphNode[] {
  return rewrites.reduce((before, apply) => {
    const links = linksOf(before, outputs);
    const after = before.flatMap((found) => apply(found, links) ?? [found]);
    return needed(after, outputs);
  }, nodes);
}

function linksOf(nodes: readonly GraphNode[], outputs: readonly Slot[]): Links {
  const sources = new Map<Operand, GraphNode>();
  const readers = new Map<Operand, number>();
  const count = (slot: Operand): unknown => readers.set(slot, (readers.get(slot) ?? 0) + 1);
  for (const found of nodes) {
    for (const slot of found.node.outputs) sources.set(slot, found);
    found.inputs.forEach(count);
  }
  outputs.forEach(count);
  return { source: (slot) => sources.get(slot), readers: (slot) => readers.get(slot) ?? 0 };
}

function needed(nodes: readonly GraphNode[], outputs: readonly Slot[]): readonly GraphNode[] {
  const read = new Set<Operand>(outputs);
  const kept: GraphNode[] = [];
  for (const found of [...nodes].reverse()) {
    if (!found.node.outputs.some((slot) => read.has(slot))) continue;
    for (const slot of found.inputs) read.add(slot);
    kept.push(found);
  }
  return kept.reverse();
}
