import { ArgumentError, Random } from '@convkit/core';
import type { DetectionDataset } from './dataset.js';

/** Width and height of a box, in pixels of the net's input. */
export type BoxSize = readonly [width: number, height: number];

export interface AnchorOptions {
  /** Anchors to find. Default: 9 */
  readonly count?: number;
  /** Default: 0 */
  readonly seed?: number;
}

export interface Anchors {
  /** Smallest first. */
  readonly anchors: readonly BoxSize[];
  /** Mean over the boxes of the IoU with their best anchor, both put at one corner. */
  readonly meanIou: number;
}

/**
 * The sizes of all boxes of a data set as a net of this input sees them: images are scaled to fit, keeping their proportions. Crowds,
 * ignored objects and boxes without area are left out. Images are decoded only where the data set does not know their size.
 */
export async function boxSizes(dataset: DetectionDataset, [height, width]: readonly [number, number]): Promise<BoxSize[]> {
  const sizes: BoxSize[] = [];
  for (let i = 0; i < dataset.length; i++) {
    const known = dataset.size?.(i);
    const objects = known && dataset.objects?.(i);
    const { image, objects: own } = known && objects ? { image: known, objects } : await dataset.load(i);
    const scale = Math.min(width / image.width, height / image.height);
    for (const { box, crowd, ignore } of own) {
      const size = [(box[2] - box[0]) * scale, (box[3] - box[1]) * scale] as const;
      if (!crowd && !ignore && size[0] > 0 && size[1] > 0) sizes.push(size);
    }
  }
  return sizes;
}

/** Rounds of k-means at most; they end when no box changes its anchor. */
const MOST_ROUNDS = 300;

/**
 * Anchors for boxes of these sizes by k-means with the distance 1 − IoU (Redmon and Farhadi 2016, arXiv:1612.08242), the first centres drawn
 * as k-means++ does (Arthur and Vassilvitskii 2007). Throws ArgumentError for fewer boxes than anchors.
 */
export function findAnchors(sizes: readonly BoxSize[], { count = 9, seed = 0 }: AnchorOptions = {}): Anchors {
  if (!Number.isInteger(count) || count < 1) throw new ArgumentError(`anchors: expected a count of at least 1, found ${count}`);
  if (sizes.length < count)
    throw new ArgumentError(`anchors: expected at least ${count} boxes for ${count} anchors, found ${sizes.length}`);
  let centres = firstCentres(sizes, count, new Random(seed).child('anchors'));
  let owners = sizes.map((size) => nearest(size, centres));
  for (let round = 0; round < MOST_ROUNDS; round++) {
    centres = means(sizes, owners, centres);
    const next = sizes.map((size) => nearest(size, centres));
    const same = next.every((owner, i) => owner === owners[i]);
    owners = next;
    if (same) break;
  }
  const total = sizes.reduce((sum, size, i) => sum + shapeIou(size, centres[owners[i]]), 0);
  return { anchors: centres.sort((a, b) => a[0] * a[1] - b[0] * b[1]), meanIou: total / sizes.length };
}

/** IoU of two boxes with one corner in common. */
function shapeIou([w1, h1]: BoxSize, [w2, h2]: BoxSize): number {
  const shared = Math.min(w1, w2) * Math.min(h1, h2);
  return shared / (w1 * h1 + w2 * h2 - shared);
}

function nearest(size: BoxSize, centres: readonly BoxSize[]): number {
  let [best, overlap] = [0, -1];
  for (let i = 0; i < centres.length; i++) {
    const next = shapeIou(size, centres[i]);
    if (next > overlap) [best, overlap] = [i, next];
  }
  return best;
}

/** Each centre is a box, drawn with a probability that grows with the square of its distance from the centres so far. */
function firstCentres(sizes: readonly BoxSize[], count: number, random: Random): BoxSize[] {
  const centres = [sizes[random.int(sizes.length)]];
  const distances = new Float64Array(sizes.length).fill(1);
  while (centres.length < count) {
    const last = centres[centres.length - 1];
    let total = 0;
    for (let i = 0; i < sizes.length; i++) {
      distances[i] = Math.min(distances[i], (1 - shapeIou(sizes[i], last)) ** 2);
      total += distances[i];
    }
    let rest = random.uniform() * total;
    const drawn = distances.findIndex((distance) => (rest -= distance) < 0);
    centres.push(sizes[drawn < 0 ? sizes.length - 1 : drawn]);
  }
  return centres;
}

/** The mean of each centre's boxes; a centre without any stays. */
function means(sizes: readonly BoxSize[], owners: readonly number[], centres: readonly BoxSize[]): BoxSize[] {
  const sums = centres.map(() => [0, 0, 0]);
  for (const [i, [w, h]] of sizes.entries()) {
    const sum = sums[owners[i]];
    sum[0] += w;
    sum[1] += h;
    sum[2]++;
  }
  return sums.map(([w, h, n], i) => (n === 0 ? centres[i] : ([w / n, h / n] as const)));
}
