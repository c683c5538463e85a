import type { Labels } from '../train/batch.js';

/** What a metric sees of a batch. */
export interface MetricBatch<L extends Labels = Int32Array> {
  /** Row by row: `labels.length` rows of `classes` values. */
  readonly logits: Float32Array;
  readonly classes: number;
  readonly labels: L;
}

/** Figures gathered over batches, on the host. */
export interface Metric<L extends Labels = Int32Array> {
  /** An empty metric with the same options. */
  fresh(): Metric<L>;
  update(batch: MetricBatch<L>): void;
  /** The figures so far by name; NaN before the first image. */
  result(): Record<string, number>;
  /** What `load` needs to go on from here, as JSON. */
  state(): number[];
  load(state: readonly number[]): void;
}

/** A mean with weights, in float64. */
export class Mean {
  #sum: number;
  #weight: number;

  constructor([sum, weight]: readonly number[] = [0, 0]) {
    this.#sum = sum;
    this.#weight = weight;
  }

  add(value: number, weight = 1): void {
    this.#sum += value * weight;
    this.#weight += weight;
  }

  /** NaN while nothing was added. */
  get value(): number {
    return this.#sum / this.#weight;
  }

  get weight(): number {
    return this.#weight;
  }

  state(): number[] {
    return [this.#sum, this.#weight];
  }
}
