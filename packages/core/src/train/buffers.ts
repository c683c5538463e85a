import { type Tensor, clone, keep, tidy } from '@tensorflow/tfjs-core';
import type { Module } from '../module.js';

/** The buffers and counters of a model as they were; the weights are not in it. */
export interface BufferSnapshot {
  /** Puts the values back; may be called again. */
  restore(): void;
  dispose(): void;
}

/** Remembers what a forward pass in training mode changes. It copies no memory: a clone shares it until the buffer is set anew. */
export function snapshotBuffers(model: Module<unknown>): BufferSnapshot {
  const copies: Tensor[] = [];
  const restores: (() => void)[] = [];
  for (const [, state] of model.state()) {
    if (state.kind === 'counter') {
      const { value } = state;
      restores.push(() => void (state.value = value));
    } else if (state.kind === 'buffer') {
      const copy = tidy(() => keep(clone(state.value)));
      copies.push(copy);
      restores.push(() => void state.value.assign(copy));
    }
  }
  return {
    restore: () => restores.forEach((restore) => restore()),
    dispose: () => copies.forEach((copy) => copy.dispose()),
  };
}
