import { ArgumentError, FormatError, cifar10Classes } from '@convkit/core';
import type { Image } from '@convkit/core';
import type { Dataset, PackedImages } from './dataset.js';

/** Side of a CIFAR image in pixels. */
export const cifarSide = 32;
const planeBytes = cifarSide * cifarSide;
/** One label, then 1,024 bytes each of red, green and blue, row by row. */
export const cifarRecordBytes = 1 + 3 * planeBytes;

/** What records say of themselves. */
export interface CifarRecordsOptions {
  name?: string;
  classes?: readonly string[];
  notice?: string;
}

/**
 * A data set made of CIFAR-10's binary records: one byte of label, then the red, green and blue planes of 32×32 pixels.
 *
 * `bytes` is used as it is, not copied.
 *
 * @throws FormatError when the bytes are not a whole number of records, or a label has no class; it names the record.
 * @see Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009
 */
export class CifarRecords implements Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly length: number;
  readonly packed: PackedImages;
  readonly bytes: Uint8Array;
  /** What a user should know of these records, such as files that are missing */
  readonly notice: string | undefined;

  constructor(bytes: Uint8Array, { name = 'records', classes = cifar10Classes, notice }: CifarRecordsOptions = {}) {
    checkRecords(bytes, name, classes.length);
    this.name = name;
    this.classes = classes;
    this.notice = notice;
    this.bytes = bytes;
    this.length = bytes.length / cifarRecordBytes;
    this.packed = { bytes, stride: cifarRecordBytes, offset: 1, width: cifarSide, height: cifarSide };
  }

  label(i: number): number {
    return this.bytes[this.#start(i)];
  }

  image(i: number): Image {
    const start = this.#start(i) + 1;
    const pixels = new Uint8Array(3 * planeBytes);
    for (let pixel = 0; pixel < planeBytes; pixel++) {
      pixels[3 * pixel] = this.bytes[start + pixel];
      pixels[3 * pixel + 1] = this.bytes[start + planeBytes + pixel];
      pixels[3 * pixel + 2] = this.bytes[start + 2 * planeBytes + pixel];
    }
    return { pixels, width: cifarSide, height: cifarSide };
  }

  /** The first `count` records, sharing memory with these. */
  first(count: number): CifarRecords {
    return new CifarRecords(this.bytes.subarray(0, count * cifarRecordBytes), { name: this.name, classes: this.classes });
  }

  #start(i: number): number {
    if (!(i >= 0 && i < this.length))
      throw new ArgumentError(`${this.name}: expected an index of 0 … ${this.length - 1}, found ${i}`);
    return i * cifarRecordBytes;
  }
}

/** @throws FormatError when `bytes`, which messages call `name`, is not a whole number of records with labels below `numClasses`. */
export function checkRecords(bytes: Uint8Array, name: string, numClasses = 10): void {
  if (bytes.length % cifarRecordBytes !== 0) {
    const whole = Math.floor(bytes.length / cifarRecordBytes);
    throw new FormatError(
      `${name}: expected records of ${cifarRecordBytes} bytes, found ${bytes.length} bytes, which end inside record ${whole}; get the file again`,
    );
  }
  for (let at = 0; at < bytes.length; at += cifarRecordBytes) {
    if (bytes[at] >= numClasses) {
      const record = at / cifarRecordBytes;
      throw new FormatError(
        `${name}: expected labels of 0 … ${numClasses - 1}, found ${bytes[at]} in record ${record}; get the file again`,
      );
    }
  }
}
