import { ciou } from '@convkit/core/detection';
import type { ObjectLabels } from '@convkit/core/train';
import type { AnchorPoints } from '../v8/output.js';

/** How anchor points are given to objects; the defaults are those of YOLOv8. */
export interface AssignerOptions {
  /** Anchor points an object gets at most. Default 10. */
  readonly topk?: number;
  /** Exponent of the class score. Default 0.5. */
  readonly alpha?: number;
  /** Exponent of the overlap. Default 6. */
  readonly beta?: number;
}

/** What the net says of one image: A anchor points. */
export interface Predictions {
  /** A × 4 corners in pixels of the input. */
  readonly boxes: Float32Array;
  /** A × classes, 0 … 1. */
  readonly scores: Float32Array;
}

/** Which object each anchor point is to find. */
export interface Assignment {
  /** For each anchor point the index of its object, or −1. */
  readonly object: Int32Array;
  /** What its score for the object's class should be, 0 … 1; 0 without an object. */
  readonly score: Float64Array;
}

const EPS = 1e-9;

/** An anchor point inside of a box. */
interface Candidate {
  readonly anchor: number;
  /** Complete IoU of what the net predicts there and the box, at least 0. */
  readonly overlap: number;
  /** score^alpha · overlap^beta. */
  readonly alignment: number;
}

/**
 * Task-aligned assignment (Feng et al. 2021, arXiv:2108.07755): of the anchor points inside of an object's box, the `topk`
 * with the largest alignment score^α · CIoU^β are to find it. A point that several objects claim goes to the object, among all
 * whose box it is in, that its prediction overlaps most. Its target is its alignment, scaled so that an object's best point
 * has the largest overlap that the object's points reach.
 */
export function assignTaskAligned(
  { boxes, scores }: Predictions,
  anchors: AnchorPoints,
  objects: ObjectLabels,
  { topk = 10, alpha = 0.5, beta = 6 }: AssignerOptions = {},
): Assignment {
  const numClasses = scores.length / anchors.count;
  const claims = new Uint16Array(anchors.count);
  const nearest = new Map<number, Candidate & { readonly object: number }>();
  const mine = Array.from(objects.classes, (label, object) => {
    const box = objects.boxes.subarray(object * 4, object * 4 + 4);
    const inside: Candidate[] = [];
    for (const anchor of anchorsInside(anchors, box)) {
      const overlap = Math.max(0, ciou(box, boxes.subarray(anchor * 4, anchor * 4 + 4)));
      const candidate = { anchor, overlap, alignment: scores[anchor * numClasses + label] ** alpha * overlap ** beta };
      inside.push(candidate);
      const best = nearest.get(anchor);
      if (!best || overlap > best.overlap) nearest.set(anchor, { ...candidate, object });
    }
    inside.sort((a, b) => b.alignment - a.alignment || a.anchor - b.anchor);
    const best = inside.slice(0, topk).filter(({ alignment }) => alignment > 0);
    for (const { anchor } of best) claims[anchor]++;
    return best;
  });
  for (const [object, candidates] of mine.entries()) mine[object] = candidates.filter(({ anchor }) => claims[anchor] === 1);
  for (const [anchor, candidate] of nearest) if (claims[anchor] > 1) mine[candidate.object].push(candidate);
  return toAssignment(mine, anchors.count);
}

function toAssignment(mine: readonly (readonly Candidate[])[], count: number): Assignment {
  const object = new Int32Array(count).fill(-1);
  const score = new Float64Array(count);
  for (const [index, candidates] of mine.entries()) {
    const overlap = Math.max(...candidates.map((candidate) => candidate.overlap));
    const alignment = Math.max(...candidates.map((candidate) => candidate.alignment));
    for (const candidate of candidates) {
      object[candidate.anchor] = index;
      score[candidate.anchor] = (candidate.alignment * overlap) / (alignment + EPS);
    }
  }
  return { object, score };
}

/** The anchor points strictly inside of a box. */
function anchorsInside({ count, points, strides }: AnchorPoints, [x1, y1, x2, y2]: Float32Array): number[] {
  const inside: number[] = [];
  for (let anchor = 0; anchor < count; anchor++) {
    const x = points[2 * anchor] * strides[anchor];
    const y = points[2 * anchor + 1] * strides[anchor];
    if (Math.min(x - x1, y - y1, x2 - x, y2 - y) > EPS) inside.push(anchor);
  }
  return inside;
}
