const bits = 16;
const blockLength = 1 << bits;

/** A growing list of numbers in blocks of 512 KB: no copy when it grows, 8 bytes a number. */
export class Column {
  readonly #blocks: Float64Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(values: readonly number[]): void {
    for (let k = 0; k < values.length; k++) {
      const at = this.#length++ & (blockLength - 1);
      if (at === 0) this.#blocks.push(new Float64Array(blockLength));
      this.#blocks[this.#blocks.length - 1][at] = values[k];
    }
  }

  at(i: number): number {
    return this.#blocks[i >>> bits][i & (blockLength - 1)];
  }

  /** Values i … i + count − 1. */
  slice(i: number, count: number): number[] {
    const values = new Array<number>(count);
    for (let k = 0; k < count; k++) values[k] = this.at(i + k);
    return values;
  }
}
