import { type Tensor, clone, tidy } from '@tensorflow/tfjs-core';
import type { Context } from './module.js';

/** A step of a net whose steps read earlier ones by number; −1 is the net's input. */
export interface GraphNode {
  readonly inputs: readonly number[];
  run(inputs: readonly Tensor[], ctx: Context): Tensor;
}

/**
 * Runs the nodes in order, and gives the results that `outputs` numbers. Each result is freed as soon as no later node reads it; what comes
 * after the last output does not run. `x` stays the caller's; the results are the caller's too.
 */
export function runGraph(ctx: Context, x: Tensor, nodes: readonly GraphNode[], outputs: readonly number[]): Tensor[] {
  const last = Math.max(...outputs);
  const lastUse = new Map<number, number>();
  nodes.slice(0, last + 1).forEach(({ inputs }, at) => inputs.forEach((input) => lastUse.set(input, at)));
  for (const output of outputs) lastUse.set(output, Infinity);
  const results = new Map<number, Tensor>([[-1, x]]);
  try {
    for (let at = 0; at <= last; at++) {
      const inputs = nodes[at].inputs.map((input) => results.get(input)!);
      const y = tidy(() => {
        const result = nodes[at].run(inputs, ctx);
        return inputs.includes(result) ? clone(result) : result;
      });
      results.set(at, y);
      for (const number of new Set([at, ...nodes[at].inputs])) {
        if ((lastUse.get(number) ?? -1) > at || number === -1) continue;
        results.get(number)!.dispose();
        results.delete(number);
      }
    }
    return outputs.map((output) => (output === -1 ? clone(x) : results.get(output)!));
  } catch (error) {
    for (const [number, result] of results) if (number !== -1) result.dispose();
    throw error;
  }
}
