import type { StateDict } from '../weights/host-tensor.js';

/** Everything that a run needs to go on as if it had never stopped. */
export interface Checkpoint {
  model: StateDict;
  optimizer: StateDict;
  /** The moving average of the model, if the run keeps one. */
  average?: StateDict;
  /** JSON: where the run stands, and what it must agree with to be resumed. */
  progress: Record<string, unknown>;
}

/** Where checkpoints are kept. */
export interface CheckpointStore {
  save(name: string, checkpoint: Checkpoint): Promise<void>;
  /** The newest that is whole; damaged ones are reported to onDamaged and passed over. */
  latest(): Promise<{ name: string; checkpoint: Checkpoint } | undefined>;
  /** Keeps this checkpoint as the best so far, in the place of the last one. */
  saveBest?(name: string, checkpoint: Checkpoint): Promise<void>;
}
