import type { Attributes } from './graph.js';
import type { Model } from './proto/model.js';

export type ModelNode = Model['nodes'][number];

/** A node that is written into a file without having been recorded. */
export function modelNode(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes = {},
): ModelNode {
  return { node: { op, domain: '', attributes }, inputs, outputs };
}

/** A float32 list as an initializer. */
export function floatList(name: string, values: readonly number[], dims: readonly number[] = [values.length]) {
  return { name, dtype: 'float32' as const, dims, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** An int64 list as an initializer. */
export function intList(name: string, values: readonly number[], dims: readonly number[] = [values.length]) {
  return { name, dtype: 'int64' as const, dims, bytes: new Uint8Array(BigInt64Array.from(values, BigInt).buffer) };
}
