import type { Slot } from './graph.js';
import type { GraphNode, OpenGraph } from './open-dimensions.js';
import type { Initializer, Model } from './proto/model.js';
import { constantInitializer } from './session.js';
import type { Trace } from './trace.js';

export interface Names {
  readonly input: string;
  /** One for each of the program's outputs. */
  readonly outputs: readonly string[];
}

/** A traced net as an ONNX model: its input and outputs by name, its weights as initializers under their names in the state dict. */
export function inferenceModel(trace: Trace<unknown>, graph: OpenGraph, names: Names): Model {
  const { program, input, weights } = trace;
  const known = new Map<Slot, string>([[input, names.input]]);
  program.outputs.forEach((slot, i) => known.set(slot, names.outputs[i]));
  const initializers: Initializer[] = [];
  const name = (slot: Slot): string => {
    let found = known.get(slot);
    if (found !== undefined) return found;
    found = weights.get(slot) ?? `t${known.size}`;
    known.set(slot, found);
    if (slot.isConstant) initializers.push(constantInitializer(found, slot));
    else if (!slot.node) initializers.push(leafInitializer(found, slot));
    return found;
  };
  return {
    nodes: graph.nodes.map(({ node, inputs }: GraphNode) => ({
      node,
      inputs: inputs.map((slot) => (slot ? name(slot) : '')),
      outputs: node.outputs.map(name),
    })),
    inputs: [{ name: names.input, dtype: input.dtype, dims: graph.input }],
    outputs: program.outputs.map((slot, i) => ({ name: names.outputs[i], dtype: slot.dtype, dims: graph.outputs[i] })),
    initializers,
  };
}

function leafInitializer(name: string, { dtype, dims, data }: Slot): Initializer {
  return { name, dtype, dims, bytes: new Uint8Array(data!.buffer, data!.byteOffset, data!.byteLength) };
}
