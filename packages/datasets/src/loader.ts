import { ArgumentError, FormatError, inputSize, Random } from '@convkit/core';
import type { Preprocessing } from '@convkit/core';
import type { Batch, BatchSource } from '@convkit/core/train';
import type { Dataset } from './dataset.js';
import { forEachLimited, nextTurn } from './concurrency.js';
import { drawPlacement, fitImage, imageLayout, normalisationTable, packedLayout, writeNormalised } from './transforms.js';
import type { Augmentation } from './transforms.js';

/** How a data set becomes batches. */
export interface LoaderOptions {
  batchSize: number;
  /** Size and normalisation of the net's input */
  preprocessing: Preprocessing;
  /** A new order each epoch. Default: false */
  shuffle?: boolean;
  /** Random changes of each image. Default: none */
  augment?: Augmentation;
  /** Leave out the last batch when it is not full. Default: false */
  dropLast?: boolean;
  /** Batches made ahead of the one in use. Default: 3 */
  prefetch?: number;
  /** Images that may be corrupt and are left out, before the run stops. Default: 0 */
  maxCorrupt?: number;
  /** Told of each corrupt image that is left out. */
  onCorrupt?: (reason: string) => void;
}

/** A source of batches that also says which images it had to leave out. */
export interface Loader extends BatchSource {
  /** Reason for each corrupt image met so far */
  readonly corrupt: readonly string[];
}

/**
 * Batches of a data set, made ahead of time: images NHWC, normalised, and their labels.
 *
 * The same (seed, epoch) gives the same batches, whatever `prefetch` is and from whichever batch it starts. Leaving the loop early
 * stops the work ahead. A corrupt image (FormatError) ends the epoch at its batch, unless `maxCorrupt` allows to leave it out; its
 * batch is then smaller by one.
 *
 * @throws ArgumentError when an option is out of range, or the data set gives no batch.
 */
export function loader(dataset: Dataset, options: LoaderOptions): Loader {
  return new DatasetLoader(dataset, options);
}

/** Images of one batch that are read at the same time. */
const imagesAtOnce = 8;

interface Assembled {
  readonly batch: Batch;
  /** Index and reason of what was left out, in the order of the batch */
  readonly corrupt: readonly (readonly [index: number, reason: string])[];
}

class DatasetLoader implements Loader {
  readonly size: number;
  readonly batchesPerEpoch: number;
  readonly #dataset: Dataset;
  readonly #options: LoaderOptions;
  readonly #table: Float32Array;
  readonly #corrupt = new Map<number, string>();

  constructor(dataset: Dataset, options: LoaderOptions) {
    const { batchSize, prefetch = 3, dropLast = false } = options;
    atLeast('batchSize', batchSize, 1);
    atLeast('prefetch', prefetch, 1);
    atLeast('crop.padding', options.augment?.crop?.padding ?? 0, 0);
    this.batchesPerEpoch = dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize);
    if (this.batchesPerEpoch === 0) {
      throw new ArgumentError(
        `${dataset.name}: ${dataset.length} images give no batch of ${batchSize}; choose a smaller batchSize`,
      );
    }
    this.size = dropLast ? this.batchesPerEpoch * batchSize : dataset.length;
    this.#dataset = dataset;
    this.#options = options;
    this.#table = normalisationTable(options.preprocessing);
  }

  get classes(): readonly string[] {
    return this.#dataset.classes;
  }

  get corrupt(): readonly string[] {
    return [...this.#corrupt.values()];
  }

  async *epoch({
    epoch,
    seed,
    start = 0,
  }: {
    epoch: number;
    seed: number;
    start?: number;
  }): AsyncGenerator<Batch, void, undefined> {
    const { shuffle = false, prefetch = 3 } = this.#options;
    const { length } = this.#dataset;
    const root = new Random(seed);
    const order = shuffle ? root.child('shuffle').child(epoch).permutation(length) : undefined;
    const random = root.child('augment').child(epoch);
    const stop = new AbortController();
    const ahead: Promise<Assembled>[] = [];
    let next = start;
    const refill = (): void => {
      while (ahead.length < prefetch && next < this.batchesPerEpoch) {
        const assembled = this.#assemble(this.#indices(next++, order), random, stop.signal);
        assembled.catch(() => {}); // reported when its turn comes
        ahead.push(assembled);
      }
    };
    try {
      for (refill(); ahead.length > 0; refill()) {
        const { batch, corrupt } = await (ahead.shift() as Promise<Assembled>);
        this.#account(corrupt);
        refill();
        if (batch.shape[0] > 0) yield batch;
      }
    } finally {
      stop.abort();
      await Promise.allSettled(ahead);
    }
  }

  #indices(batch: number, order: Uint32Array | undefined): number[] {
    const { batchSize } = this.#options;
    const from = batch * batchSize;
    const count = Math.min(batchSize, this.size - from);
    return Array.from({ length: count }, (_, i) => order?.[from + i] ?? from + i);
  }

  async #assemble(indices: readonly number[], random: Random, signal: AbortSignal): Promise<Assembled> {
    const [height, width] = inputSize(this.#options.preprocessing);
    const values = height * width * 3;
    let images = new Float32Array(indices.length * values);
    const failed = new Map<number, string>();
    // Off the caller's turn: it goes on with its step, and this runs while the step is awaited.
    await nextTurn();
    if (this.#isDirect()) {
      indices.forEach((index, slot) => this.#writePacked(index, random, images, slot * values));
    } else {
      const write = (slot: number): Promise<void> => this.#writeImage(indices[slot], random, images, slot * values, failed);
      await forEachLimited(indices.length, imagesAtOnce, write, signal);
    }
    const kept = indices.filter((index) => !failed.has(index));
    if (failed.size > 0) images = keepImages(images, indices, kept, values);
    const labels = Int32Array.from(kept, (index) => this.#dataset.label(index));
    return {
      batch: { images, shape: [kept.length, height, width, 3], labels },
      corrupt: indices.filter((index) => failed.has(index)).map((index) => [index, failed.get(index) ?? '']),
    };
  }

  /** Whether the images in memory have the size of the net's input already. */
  #isDirect(): boolean {
    const { preprocessing, augment } = this.#options;
    const { packed } = this.#dataset;
    const [height, width] = inputSize(preprocessing);
    if (!packed || augment?.randomResizedCrop || packed.width !== width || packed.height !== height) return false;
    return preprocessing.resize === undefined || preprocessing.resize === Math.min(width, height);
  }

  #writePacked(index: number, random: Random, images: Float32Array, at: number): void {
    const { augment } = this.#options;
    const placement = augment ? drawPlacement(random.child(index), augment) : unmoved;
    const { packed } = this.#dataset;
    if (packed) writeNormalised(packedLayout(packed, index), placement, this.#table, images, at);
  }

  async #writeImage(index: number, random: Random, images: Float32Array, at: number, failed: Map<number, string>): Promise<void> {
    const { augment = {}, preprocessing, maxCorrupt = 0 } = this.#options;
    try {
      const image = await this.#dataset.image(index);
      const stream = random.child(index);
      const fitted = fitImage(image, preprocessing, augment, stream);
      writeNormalised(imageLayout(fitted), drawPlacement(stream, augment), this.#table, images, at);
    } catch (error) {
      if (maxCorrupt === 0 || !isFormatError(error)) throw error;
      failed.set(index, error.message);
    }
  }

  /** In the order of the batches, so that the run stops at the same image whatever was made ahead. */
  #account(corrupt: Assembled['corrupt']): void {
    const { maxCorrupt = 0, onCorrupt } = this.#options;
    for (const [index, reason] of corrupt) {
      if (this.#corrupt.has(index)) continue;
      this.#corrupt.set(index, reason);
      if (this.#corrupt.size > maxCorrupt) {
        const names = [...this.#corrupt.keys()].map((i) => this.#dataset.describe?.(i) ?? `image ${i}`);
        throw new FormatError(
          `${this.#dataset.name}: more than ${maxCorrupt} images are corrupt: ${names.join(', ')}; remove them, or raise maxCorrupt`,
        );
      }
      onCorrupt?.(reason);
    }
  }
}

const unmoved = { left: 0, top: 0, mirrored: false };

function keepImages(
  images: Float32Array,
  indices: readonly number[],
  kept: readonly number[],
  values: number,
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(kept.length * values);
  kept.forEach((index, slot) => {
    const at = indices.indexOf(index) * values;
    result.set(images.subarray(at, at + values), slot * values);
  });
  return result;
}

function isFormatError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'FormatError';
}

function atLeast(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new ArgumentError(`loader: expected ${name} of at least ${least}, found ${value}`);
}
