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

/** What passes the threshold; `order` sorts the others. */
interface Labelled {
  readonly indices: Int32Array;
  readonly classes: Int32Array;
  readonly scores: Float32Array;
}

/**
 * Non-maximum suppression: goes through the candidates from the best score on, and drops one that overlaps a kept box of
 * its class by more than `iou`. Ties keep the candidates' order. Stops at `maxDetections`.
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
  const wanted = options.only && new Set(options.only);
  const passed = (options.multiLabel ? everyLabel : bestLabel)(scores, numClasses, options.confidence, wanted);
  const order = bestFirst(passed.scores, options.maxCandidates ?? 30_000);
  const kept = suppress(boxes, passed, order, options);
  return {
    indices: kept.map((i) => passed.indices[i]),
    classes: kept.map((i) => passed.classes[i]),
    scores: Float32Array.from(kept, (i) => passed.scores[i]),
  };
}

type Label = (scores: Float32Array, numClasses: number, confidence: number, wanted: Set<number> | undefined) => Labelled;

/** One entry for each box and class above the threshold. */
const everyLabel: Label = (scores, numClasses, confidence, wanted) => {
  const found: number[] = [];
  for (let at = 0; at < scores.length; at++) {
    if (scores[at] > confidence) found.push(at);
    else if (scores[at] !== scores[at]) throw notANumber('score', Math.floor(at / numClasses));
  }
  const at = Int32Array.from(wanted ? found.filter((i) => wanted.has(i % numClasses)) : found);
  return {
    indices: at.map((i) => Math.floor(i / numClasses)),
    classes: at.map((i) => i % numClasses),
    scores: Float32Array.from(at, (i) => scores[i]),
  };
};

/** One entry for each box whose best class is above the threshold; of equal scores the first class. */
const bestLabel: Label = (scores, numClasses, confidence, wanted) => {
  const indices: number[] = [];
  const classes: number[] = [];
  for (let i = 0, at = 0; at < scores.length; i++) {
    let best = 0;
    let score = -Infinity;
    for (let c = 0; c < numClasses; c++, at++) {
      if (scores[at] > score) {
        score = scores[at];
        best = c;
      } else if (scores[at] !== scores[at]) throw notANumber('score', i);
    }
    if (score > confidence && (!wanted || wanted.has(best))) {
      indices.push(i);
      classes.push(best);
    }
  }
  return {
    indices: Int32Array.from(indices),
    classes: Int32Array.from(classes),
    scores: Float32Array.from(indices, (i, n) => scores[i * numClasses + classes[n]]),
  };
};

/** The order of positive scores from the best on, ties in their own order; at most `limit`. */
function bestFirst(scores: Float32Array, limit: number): Int32Array {
  // The bits of positive floats sort as the floats do: a radix sort, of only what the limit can reach.
  const keys = new Uint32Array(scores.buffer, scores.byteOffset, scores.length);
  let order = aboveCut(keys, limit);
  let next: Int32Array = new Int32Array(order.length);
  for (const shift of [0, 11, 22]) {
    const starts = new Int32Array(2049);
    for (const i of order) starts[2048 - ((keys[i] >>> shift) & 2047)]++;
    for (let digit = 1; digit <= 2048; digit++) starts[digit] += starts[digit - 1];
    for (const i of order) next[starts[2047 - ((keys[i] >>> shift) & 2047)]++] = i;
    [order, next] = [next, order];
  }
  return order.subarray(0, limit);
}

/** The entries that can be among the `limit` largest, by the upper half of their bits. */
function aboveCut(keys: Uint32Array, limit: number): Int32Array {
  const all = Int32Array.from(keys.keys());
  if (keys.length <= limit) return all;
  const counts = new Int32Array(65536);
  for (const key of keys) counts[key >>> 16]++;
  let cut = 65535;
  for (let seen = counts[cut]; seen < limit; seen += counts[cut]) cut--;
  return all.filter((i) => keys[i] >>> 16 >= cut);
}

/** Walks through the order and gives the entries that are kept. */
function suppress(boxes: Float32Array, { indices, classes }: Labelled, order: Int32Array, options: NmsOptions): Int32Array {
  const { iou, maxDetections, classAgnostic = false, diouBeta } = options;
  const kept: number[] = [];
  // The kept boxes of each class as a chain, the latest first.
  const latest = new Map<number, number>();
  const before: number[] = [];
  for (const entry of order) {
    if (kept.length >= maxDetections) break;
    const at = indices[entry] * 4;
    const [x1, y1, x2, y2] = [boxes[at], boxes[at + 1], boxes[at + 2], boxes[at + 3]];
    if (Number.isNaN(x1 + y1 + x2 + y2)) throw notANumber('box', indices[entry]);
    const chain = classAgnostic ? 0 : classes[entry];
    let rival = latest.get(chain) ?? -1;
    while (rival >= 0 && overlap(boxes, indices[kept[rival]] * 4, x1, y1, x2, y2, diouBeta) <= iou) rival = before[rival];
    if (rival >= 0) continue;
    before.push(latest.get(chain) ?? -1);
    latest.set(chain, kept.length);
    kept.push(entry);
  }
  return Int32Array.from(kept);
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
