import { ArgumentError, FormatError, Random } from '@convkit/core';
import type { Batch, BatchSource, DetectionLabels, ObjectLabels } from '@convkit/core/train';
import { nextTurn } from '../concurrency.js';
import { fitMatrix, warp } from './affine.js';
import { augment } from './augment.js';
import { type DetectionAugmentation, completeAugmentation } from './augmentation.js';
import type { DetectionDataset } from './dataset.js';
import type { Labelled } from './labelled.js';
import { toLabels } from './labels.js';

/** How a detection data set becomes batches. */
export interface DetectionLoaderOptions {
  readonly batchSize: number;
  /** Of the net's input, multiples of 32. */
  readonly inputSize: readonly [height: number, width: number];
  /** A new order each epoch. Default: false */
  readonly shuffle?: boolean;
  /** Random changes of each image. Default: none, each image is letterboxed */
  readonly augment?: DetectionAugmentation;
  /** Epochs of the whole run, so that mosaics can end before its end. Needed with `augment`. */
  readonly epochs?: number;
  /** Leave out the last batch when it is not full. Default: false */
  readonly dropLast?: boolean;
  /** Batches made ahead of the one in use. Default: 2 */
  readonly prefetch?: number;
  /** Labels have masks too: each object needs its outline. Default: false */
  readonly masks?: boolean;
  /** Labels have so many joints too; an object without any has none labelled. Default: 0 */
  readonly joints?: number;
}

/**
 * Batches of a detection data set: images [N, H, W, 3], 0 … 1, and the objects of each. Crowds and ignored objects are left out. The
 * same (seed, epoch) gives the same batches, whatever `prefetch` is and from whichever batch it starts.
 *
 * Throws ArgumentError when an option is out of range, and FormatError, naming the image, for an object with a class, a box or
 * joints that cannot be.
 */
export function detectionLoader(dataset: DetectionDataset, options: DetectionLoaderOptions): BatchSource<DetectionLabels> {
  const { batchSize, inputSize, dropLast = false, prefetch = 2, epochs } = options;
  for (const [name, value] of Object.entries({ batchSize, prefetch })) {
    if (!Number.isInteger(value) || value < 1)
      throw new ArgumentError(`detectionLoader: expected ${name} of at least 1, found ${value}`);
  }
  if (!inputSize.every((side) => Number.isInteger(side) && side > 0 && side % 32 === 0)) {
    throw new ArgumentError(`detectionLoader: expected an input size of multiples of 32, found ${inputSize.join('×')}`);
  }
  if (options.augment && epochs === undefined) throw new ArgumentError('detectionLoader: augment needs the epochs of the run');
  const batchesPerEpoch = dropLast ? Math.floor(dataset.length / batchSize) : Math.ceil(dataset.length / batchSize);
  if (batchesPerEpoch === 0) {
    throw new ArgumentError(
      `${dataset.name}: ${dataset.length} images give no batch of ${batchSize}; choose a smaller batchSize`,
    );
  }
  const assembler = new Assembler(dataset, options);
  return {
    size: dropLast ? batchesPerEpoch * batchSize : dataset.length,
    batchesPerEpoch,
    classes: dataset.classes,
    epoch: ({ epoch, seed, start = 0 }) =>
      madeAhead(start, batchesPerEpoch, prefetch, (batch) => assembler.batch({ epoch, seed, batch })),
  };
}

/** Makes things number `start` … `end` − 1, `ahead` of them before they are asked for. */
async function* madeAhead<T>(start: number, end: number, ahead: number, make: (i: number) => Promise<T>): AsyncGenerator<T> {
  const queue: Promise<T>[] = [];
  let next = start;
  const refill = (): void => {
    while (queue.length < ahead && next < end) {
      const made = make(next++);
      made.catch(() => {}); // reported when its turn comes
      queue.push(made);
    }
  };
  try {
    for (refill(); queue.length > 0; refill()) {
      const made = await queue.shift()!;
      refill();
      yield made;
    }
  } finally {
    await Promise.allSettled(queue);
  }
}

interface Place {
  readonly epoch: number;
  readonly seed: number;
  readonly batch: number;
}

class Assembler {
  readonly #dataset: DetectionDataset;
  readonly #options: DetectionLoaderOptions;
  readonly #augmentation: Required<DetectionAugmentation> | undefined;

  constructor(dataset: DetectionDataset, options: DetectionLoaderOptions) {
    this.#dataset = dataset;
    this.#options = options;
    this.#augmentation = options.augment && completeAugmentation(options.augment);
  }

  async batch({ epoch, seed, batch }: Place): Promise<Batch<DetectionLabels>> {
    await nextTurn(); // off the caller's turn: it goes on with its step
    const { batchSize, shuffle = false, masks = false, joints = 0 } = this.#options;
    const { length } = this.#dataset;
    const root = new Random(seed);
    const order = shuffle ? root.child('shuffle').child(epoch).permutation(length) : undefined;
    const random = root.child('augment').child(epoch);
    const from = batch * batchSize;
    const count = Math.min(batchSize, length - from);
    const { width, height } = this.#size(random.child(`size ${batch}`));
    const images = new Float32Array(count * height * width * 3);
    const objects: ObjectLabels[] = [];
    for (let slot = 0; slot < count; slot++) {
      const index = order?.[from + slot] ?? from + slot;
      const { image, objects: own } = await this.#sample(index, random.child(index), { width, height }, epoch);
      const values = images.subarray(slot * height * width * 3);
      for (let i = 0; i < image.pixels.length; i++) values[i] = image.pixels[i] / 255;
      objects.push(this.#named(index, () => toLabels(own, { width, height, masks, joints })));
    }
    return { images, shape: [count, height, width, 3], labels: { length: count, inputSize: [height, width], objects } };
  }

  /** The size of a batch: the net's own, or one drawn around it. */
  #size(random: Random): { width: number; height: number } {
    const [height, width] = this.#options.inputSize;
    const range = this.#augmentation?.multiScale ?? 0;
    if (range === 0) return { width, height };
    const factor = random.uniform(1 - range, 1 + range);
    const [h, w] = [height, width].map((side) => Math.max(32, Math.round((side * factor) / 32) * 32));
    return { width: w, height: h };
  }

  async #sample(index: number, random: Random, size: { width: number; height: number }, epoch: number): Promise<Labelled> {
    const image = await this.#load(index);
    const augmentation = this.#augmentation;
    if (!augmentation) return warp(image, fitMatrix(image.image, size), { ...size, factor: fitMatrix(image.image, size)[0] });
    const withMosaic = epoch < (this.#options.epochs ?? 0) - augmentation.closeMosaic;
    const other = (): Promise<Labelled> => this.#load(random.int(this.#dataset.length));
    return augment(image, other, random, size, augmentation, withMosaic);
  }

  async #load(index: number): Promise<Labelled> {
    const { image, objects } = await this.#dataset.load(index);
    this.#named(index, () => objects.forEach((object, i) => checkObject(object, i, this.#dataset.classes.length)));
    return { image, objects: objects.filter(({ crowd, ignore }) => !crowd && !ignore) };
  }

  /** Names the image in the messages of what goes wrong. */
  #named<T>(index: number, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'FormatError') throw error;
      throw new FormatError(`${this.#dataset.name}, image ${this.#dataset.ids[index]}: ${error.message}`);
    }
  }
}

function checkObject({ class: label, box }: { class: number; box: readonly number[] }, i: number, numClasses: number): void {
  if (!(Number.isInteger(label) && label >= 0 && label < numClasses)) {
    throw new FormatError(`expected a class in 0 … ${numClasses - 1} of object ${i}, found ${label}`);
  }
  if (!box.every(Number.isFinite) || box[2] < box[0] || box[3] < box[1]) {
    throw new FormatError(`expected corners x1 ≤ x2, y1 ≤ y2 of object ${i}, found ${box.join(', ')}`);
  }
}
