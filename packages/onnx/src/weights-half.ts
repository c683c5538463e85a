import { narrowHalf } from '@convkit/core';
import { type ModelNode, modelNode } from './model-node.js';
import type { Initializer, Model } from './proto/model.js';

/** Weights stored in float16, widened when the file is loaded: half the size, computed in float32. */
export function halfWeights(model: Model): Model {
  const casts: ModelNode[] = [];
  const initializers = model.initializers.map((weight): Initializer => {
    if (weight.dtype !== 'float32' || weight.dims.length < 2) return weight;
    const name = `${weight.name}.half`;
    casts.push(modelNode('Cast', [name], [weight.name], { to: 1 }));
    const half = narrowHalf(floats(weight));
    return { name, dtype: 'float16', dims: weight.dims, bytes: new Uint8Array(half.buffer) };
  });
  return { ...model, initializers, nodes: [...casts, ...model.nodes] };
}

/** The values of a float32 weight. */
export const floats = ({ bytes }: Initializer): Float32Array =>
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
