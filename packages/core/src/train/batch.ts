/** What is known of the images of a batch, one entry an image: class indices, or the objects of each image. */
export interface Labels {
  readonly length: number;
}

/** Images and labels of one step. */
export interface Batch<L extends Labels = Int32Array> {
  /** NHWC, normalised */
  images: Float32Array;
  shape: [n: number, h: number, w: number, c: number];
  labels: L;
}

/** Where the trainer takes its batches from. */
export interface BatchSource<L extends Labels = Int32Array> {
  /** Samples in an epoch */
  readonly size: number;
  readonly batchesPerEpoch: number;
  readonly classes: readonly string[];
  /** The batches of one epoch, from batch `start` on. The same (seed, epoch) gives the same batches. */
  epoch(options: { epoch: number; seed: number; start?: number }): AsyncIterable<Batch<L>>;
}
