import { engine } from '@tensorflow/tfjs-core';

/** Frees what an interrupted tape kept for a backward pass that will not come. */
export function dropTape(): void {
  const { state } = engine();
  for (const { saved = [], outputs } of state.activeTape ?? []) {
    for (const tensor of saved) tensor.dispose();
    for (const output of outputs) if (output.kept) output.dispose(); // saved by an op that threw before it was taped
  }
  state.activeTape = [];
  state.gradientDepth = 0;
}
