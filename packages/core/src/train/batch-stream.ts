import { ConvkitError } from '../errors.js';
import type { Batch, Labels } from './batch.js';
import { now } from './event-loop.js';

/** Takes the batches of an epoch a few at a time, and measures how long it waits for them. */
export class BatchStream<L extends Labels> {
  readonly #batches: AsyncIterator<Batch<L>>;
  readonly #total: number;
  #taken: number;
  #waitMs = 0;

  /** `taken` of the epoch's `total` batches came before these. */
  constructor(batches: AsyncIterable<Batch<L>>, taken: number, total: number) {
    this.#batches = batches[Symbol.asyncIterator]();
    this.#taken = taken;
    this.#total = total;
  }

  /** The next `count` batches, or those that are left of the epoch. */
  async *take(count: number): AsyncGenerator<Batch<L>> {
    const end = Math.min(this.#taken + count, this.#total);
    while (this.#taken < end) {
      const asked = now();
      const next = await this.#batches.next();
      this.#waitMs += now() - asked;
      if (next.done) {
        throw new ConvkitError(`The data source promised ${this.#total} batches an epoch and ended after ${this.#taken}.`);
      }
      this.#taken++;
      yield next.value;
    }
  }

  get taken(): number {
    return this.#taken;
  }

  /** Milliseconds waited since this was last asked. */
  takeWaitMs(): number {
    const waited = this.#waitMs;
    this.#waitMs = 0;
    return waited;
  }

  async close(): Promise<void> {
    await this.#batches.return?.();
  }
}
