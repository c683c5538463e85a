import { type Tensor, customGrad, engine, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { trainableParameters } from './freeze.js';
import type { Context, Module } from './module.js';
import { dropTape } from './ops/tape.js';
import { Random } from './random.js';
import { snapshotBuffers } from './train/buffers.js';

type Save = (tensors: Tensor[]) => void;

/**
 * module.forward(join(inputs)) that keeps nothing for the backward pass but `inputs`, and computes the rest anew there: less
 * memory for one more forward pass (Chen et al. 2016, arXiv:1604.06174; for DenseNet Pleiss et al. 2017, arXiv:1707.06990).
 *
 * The second pass draws the dropout masks of the first, and running statistics move once. `join` makes one input of several,
 * such as `concat`; it too is computed anew. Outside of training this is the plain forward pass.
 */
export function recompute(
  module: Module,
  inputs: readonly Tensor[],
  ctx: Context,
  join: (inputs: readonly Tensor[]) => Tensor = ([x]) => x,
): Tensor {
  if (!ctx.training) return module.forward(join(inputs), ctx);
  const seed = ctx.random?.uint32();
  const forward = (xs: readonly Tensor[]) =>
    module.forward(join(xs), { training: true, random: seed === undefined ? undefined : new Random(seed) });
  const weights: Tensor[] = trainableParameters(module).map(([, parameter]) => parameter.value);

  const op = customGrad((...taken) => {
    const save = taken.pop() as Save;
    const xs = (taken as Tensor[]).slice(0, inputs.length);
    save(xs);
    const gradFunc = (dy: Tensor, saved: Tensor[]) => gradients(module, () => forward(saved), [...saved, ...weights], dy);
    return { value: forward(xs), gradFunc };
  });
  return op(...inputs, ...weights);
}

/** Gradients of `forward` in `xs`, on a tape of their own; the running statistics stay. */
function gradients(module: Module, forward: () => Tensor, xs: readonly Tensor[], dy: Tensor): Tensor[] {
  const { state } = engine();
  const outer = state.activeTape; // a new tape takes its place
  const buffers = snapshotBuffers(module);
  try {
    return tidy(() => {
      const { grads } = engine().gradients(forward, [...xs], dy);
      return xs.map((x, i) => grads[i] ?? zerosLike(x));
    });
  } catch (error) {
    dropTape();
    throw error;
  } finally {
    state.activeTape = outer;
    buffers.restore();
    buffers.dispose();
  }
}
