/** Images and labels of one step. */
export interface Batch {
  /** NHWC, normalised */
  images: Float32Array;
  shape: [n: number, h: number, w: number, c: number];
  labels: Int32Array;
}

/** Where the trainer takes its batches from. */
export interface BatchSource {
  /** Samples in an epoch */
  readonly size: number;
  readonly batchesPerEpoch: number;
  readonly classes: readonly string[];
  /** The batches of one epoch, from batch `start` on. The same (seed, epoch) gives the same batches. */
  epoch(options: { epoch: number; seed: number; start?: number }): AsyncIterable<Batch>;
}
