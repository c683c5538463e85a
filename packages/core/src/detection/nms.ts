import { ArgumentError } from '../errors.js';
import type { Candidates } from './types.js';

/** Which candidates survive. */
export interface NmsOptions {
  /** Scores must be above this. */
  readonly confidence: number;
  /** Of two boxes of a class that overlap more than this, the one with the lower score goes. */
  readonly iou: number;
  readonly maxDetections: number;
  /** A box counts once for each class above `confidence`, not only for its best. Default false. */
  readonly multiLabel?: boolean;
  /** Boxes of different classes suppress each other too. Default false. */
  readonly classAgnostic?: boolean;
  /** Only these classes, by index. Default: all. */
  readonly only?: readonly number[];
  /** The best that take part; the rest is dropped. Default 30,000. */
  readonly maxCandidates?: number;
  /** Overlap is IoU − (d² / c²)^β of the distance d of the centres and the diagonal c of the hull: DIoU-NMS. Default: IoU. */
  readonly diouBeta?: number;
}

/** The survivors, best first. */
export interface Kept {
  /** Which candidate each is */
  readonly indices: Int32Array;
  readonly classes: Int32Array;
  readonly scores: Float32Array;
}

/**
 * Non-maximum suppression: goes through the candidates from the best score on, and drops one that overlaps a kept box of
 * its class by more than `iou`. Ties of a class keep the candidates' order. Stops at `maxDetections`.
 *
 * Throws ArgumentError when the lengths do not fit, or a score or a box that would take part is not a number.
 */
export function nonMaxSuppression({ boxes, scores }: Candidates, numClasses: number, options: NmsOptions): Kept {
  const count = boxes.length / 4;
  if (scores.length !== count * numClasses) {
    throw new ArgumentError(
      `nonMaxSuppression: ${count} boxes and ${numClasses} classes need ${count * numClasses} scores, found ${scores.length}.`,
    );
  }
  const { only, maxCandidates = 30_000 } = options;
  const wanted = new Uint8Array(numClasses).fill(only ? 0 : 1);
  for (const index of only ?? []) wanted[index] = 1;
  const least = Math.max(options.confidence, 0);
  const entries = (options.multiLabel ? everyLabel : bestLabels)(scores, count, wanted, least);
  // The bits of positive floats sort as the floats do.
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  const order = radixSort(withinReach(entries, bits, maxCandidates), bits).subarray(0, maxCandidates);
  const kept = suppress(boxes, order, numClasses, options);
  return {
    indices: kept.map((entry) => entry % count),
    classes: kept.map((entry) => Math.floor(entry / count)),
    scores: Float32Array.from(kept, (entry) => scores[entry]),
  };
}

/** The entries of `scores` above the threshold and of a wanted class. */
function everyLabel(scores: Float32Array, count: number, wanted: Uint8Array, least: number): Int32Array {
  const entries = new Int32Array(scores.length);
  let found = 0;
  for (let label = 0, at = 0; label < wanted.length; label++) {
    for (const end = at + count; at < end; at++) {
      if (scores[at] <= least) continue;
      if (Number.isNaN(scores[at])) throw notANumber('score', at % count);
      if (wanted[label]) entries[found++] = at;
    }
  }
  return entries.subarray(0, found);
}

/** The same of only the best class of each box; of equal scores the first. */
function bestLabels(scores: Float32Array, count: number, wanted: Uint8Array, least: number): Int32Array {
  const best = new Int32Array(count).fill(-1);
  for (let start = 0; start < scores.length; start += count) {
    for (let box = 0; box < count; box++) {
      const score = scores[start + box];
      if (score <= least) continue; // as most are
      if (Number.isNaN(score)) throw notANumber('score', box);
      if (best[box] < 0 || score > scores[best[box]]) best[box] = start + box;
    }
  }
  return best.filter((entry) => entry >= 0 && wanted[Math.floor(entry / count)]);
}

/** Leaves out entries that cannot be among the `limit` largest, by the upper half of their keys. */
function withinReach(entries: Int32Array, keys: Uint32Array, limit: number): Int32Array {
  if (entries.length <= limit) return entries;
  const counts = new Int32Array(65536);
  for (const entry of entries) counts[keys[entry] >>> 16]++;
  let cut = 65535;
  for (let reached = counts[cut]; reached < limit; reached += counts[cut]) cut--;
  return entries.filter((entry) => keys[entry] >>> 16 >= cut);
}

/** Sorts entries by their keys, the largest first, equal ones as they are. */
function radixSort(entries: Int32Array, keys: Uint32Array): Int32Array {
  let from: Int32Array = entries.slice();
  let to: Int32Array = new Int32Array(entries.length);
  for (const shift of [0, 11, 22]) {
    const starts = new Int32Array(2049);
    for (const entry of from) starts[2048 - ((keys[entry] >>> shift) & 2047)]++;
    for (let digit = 1; digit <= 2048; digit++) starts[digit] += starts[digit - 1];
    for (const entry of from) to[starts[2047 - ((keys[entry] >>> shift) & 2047)]++] = entry;
    [from, to] = [to, from];
  }
  return from;
}

/** Walks through the entries and gives those that are kept. */
function suppress(boxes: Float32Array, entries: Int32Array, numClasses: number, options: NmsOptions): Int32Array {
  const { iou, maxDetections, classAgnostic = false, diouBeta } = options;
  const boxCount = boxes.length / 4;
  const kept = new Int32Array(Math.min(entries.length, maxDetections));
  let count = 0;
  // The kept boxes of each class as a chain, the latest first.
  const latest = new Int32Array(numClasses).fill(-1);
  const before = new Int32Array(kept.length);
  const corners = new Float32Array(kept.length * 4);
  for (let i = 0; i < entries.length && count < kept.length; i++) {
    const entry = entries[i];
    const at = (entry % boxCount) * 4;
    const x1 = boxes[at];
    const y1 = boxes[at + 1];
    const x2 = boxes[at + 2];
    const y2 = boxes[at + 3];
    if (Number.isNaN(x1 + y1 + x2 + y2)) throw notANumber('box', at / 4);
    const chain = classAgnostic ? 0 : Math.floor(entry / boxCount);
    let rival = latest[chain];
    while (rival >= 0 && overlap(corners, rival * 4, x1, y1, x2, y2, diouBeta) <= iou) rival = before[rival];
    if (rival >= 0) continue;
    corners.set(boxes.subarray(at, at + 4), count * 4);
    before[count] = latest[chain];
    latest[chain] = count;
    kept[count++] = entry;
  }
  return kept.subarray(0, count);
}

/** IoU of the box at `at` with another, less DIoU-NMS's distance term where it is asked for. */
function overlap(
  boxes: Float32Array,
  at: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  diouBeta: number | undefined,
): number {
  const a1 = boxes[at];
  const b1 = boxes[at + 1];
  const a2 = boxes[at + 2];
  const b2 = boxes[at + 3];
  const width = Math.min(a2, x2) - Math.max(a1, x1);
  const height = Math.min(b2, y2) - Math.max(b1, y1);
  const shared = width > 0 && height > 0 ? width * height : 0;
  if (shared === 0 && diouBeta === undefined) return 0;
  const union = (a2 - a1) * (b2 - b1) + (x2 - x1) * (y2 - y1) - shared;
  const iou = union > 0 ? shared / union : 0;
  if (diouBeta === undefined) return iou;
  const distance = ((a1 + a2 - x1 - x2) ** 2 + (b1 + b2 - y1 - y2) ** 2) / 4;
  const diagonal = (Math.max(a2, x2) - Math.min(a1, x1)) ** 2 + (Math.max(b2, y2) - Math.min(b1, y1)) ** 2;
  return diagonal > 0 ? iou - (distance / diagonal) ** diouBeta : iou;
}

const notANumber = (what: string, index: number): ArgumentError =>
  new ArgumentError(
    `nonMaxSuppression: the ${what} of candidate ${index} is not a number: the net's weights or its input are broken.`,
  );
