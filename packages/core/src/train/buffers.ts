import { type Tensor, clone, keep, tidy } from '@tensorflow/tfjs-core';
import type { Module } from '../module.js';

/** State as it was. It copies no memory: a clone shares it until the state is set anew. */
export interface Snapshot {
  /** Puts the values back; may be called again. */
  restore(): void;
  dispose(): void;
}

/** A clone that outlives the tidy it is made in. */
export const keptClone = (x: Tensor): Tensor => tidy(() => keep(clone(x)));

/** Remembers what a forward pass in training mode changes: buffers and counters. */
export function snapshotBuffers(model: Module<unknown>): Snapshot {
  return snapshot(model, ['buffer']);
}

/** Remembers what a training step changes in a model: buffers, counters and weights. */
export function snapshotModel(model: Module<unknown>): Snapshot {
  return snapshot(model, ['buffer', 'parameter']);
}

function snapshot(model: Module<unknown>, kinds: readonly string[]): Snapshot {
  const copies: Tensor[] = [];
  const restores: (() => void)[] = [];
  for (const [, state] of model.state()) {
    if (state.kind === 'counter') {
      const { value } = state;
      restores.push(() => void (state.value = value));
    } else if (kinds.includes(state.kind) && state.initialized) {
      const copy = keptClone(state.value);
      copies.push(copy);
      restores.push(() => void state.value.assign(copy));
    }
  }
  return {
    restore: () => restores.forEach((restore) => restore()),
    dispose: () => copies.forEach((copy) => copy.dispose()),
  };
}

/** Several snapshots as one. */
export function together(snapshots: readonly Snapshot[]): Snapshot {
  return {
    restore: () => snapshots.forEach((each) => each.restore()),
    dispose: () => snapshots.forEach((each) => each.dispose()),
  };
}
