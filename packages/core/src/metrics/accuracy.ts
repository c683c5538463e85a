import { ArgumentError } from '../errors.js';
import type { Metric, MetricBatch } from './metric.js';

/**
 * The share of images whose label is among the k highest logits: `top1`, `top5` … in 0 … 1. A k that is not below the number
 * of classes says nothing and is left out. Of equal logits the first counts as higher; a NaN counts as higher than every
 * number, and as a label's own logit it is never right.
 */
export function accuracy(options: { topk?: readonly number[] } = {}): Metric {
  const { topk = [1, 5] } = options;
  for (const k of topk) {
    if (!(Number.isInteger(k) && k >= 1)) throw new ArgumentError(`accuracy: topk takes whole numbers from 1 up, found ${k}.`);
  }
  return new Accuracy(topk);
}

class Accuracy implements Metric {
  readonly #topk: readonly number[];
  readonly #right: number[];
  #images = 0;
  #classes = 0;

  constructor(topk: readonly number[]) {
    this.#topk = topk;
    this.#right = topk.map(() => 0);
  }

  fresh(): Metric {
    return new Accuracy(this.#topk);
  }

  update({ logits, classes, labels }: MetricBatch): void {
    this.#classes = classes;
    this.#images += labels.length;
    labels.forEach((label, row) => {
      const rank = rankOf(label, logits.subarray(row * classes, (row + 1) * classes));
      this.#topk.forEach((k, i) => {
        if (rank < k) this.#right[i]++;
      });
    });
  }

  result(): Record<string, number> {
    const shares = this.#topk.map((k, i): [string, number] => [`top${k}`, this.#right[i] / this.#images]);
    return Object.fromEntries(shares.filter((_, i) => this.#topk[i] === 1 || this.#topk[i] < this.#classes));
  }

  state(): number[] {
    return [this.#images, this.#classes, ...this.#right];
  }

  load([images, classes, ...right]: readonly number[]): void {
    this.#images = images;
    this.#classes = classes;
    right.forEach((count, i) => (this.#right[i] = count));
  }
}

/** How many classes come before this one; Infinity if its logit is NaN. */
function rankOf(label: number, row: Float32Array): number {
  const own = row[label];
  if (Number.isNaN(own)) return Infinity;
  let before = 0;
  for (let c = 0; c < row.length; c++) {
    if (row[c] > own || Number.isNaN(row[c]) || (row[c] === own && c < label)) before++;
  }
  return before;
}
