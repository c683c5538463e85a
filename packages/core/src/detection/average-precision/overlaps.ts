import { ArgumentError } from '../../errors.js';
import { polygonsArea, polygonsToRle } from '../polygons.js';
import { rleArea, rleIou } from '../rle.js';
import type { Box, Detection, GroundTruth, Rle } from '../types.js';

/** What is compared: boxes, masks, or the joints of poses. */
export type EvaluationType = 'bbox' | 'segm' | 'keypoints';

/** How detections overlap the objects of their class, and how large they are, for one image. */
export interface Overlaps {
  /** [detections × objects], 0 … 1 */
  readonly values: Float64Array;
  /** Of each detection, in square pixels */
  readonly areas: Float64Array;
}

/** Overlaps by box: intersection over union; with a crowd, over the detection's area. */
export function boxOverlaps(detections: readonly Detection[], truths: readonly GroundTruth[]): Overlaps {
  const areas = Float64Array.from(detections, ({ box }) => boxArea(box));
  const values = table(detections, truths, (detection, truth, i) => {
    const [a, b] = [detection.box, truth.box];
    const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
    const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
    if (width <= 0 || height <= 0) return 0;
    const intersection = width * height;
    return intersection / (truth.crowd ? areas[i] : areas[i] + boxArea(b) - intersection);
  });
  return { values, areas };
}

/** Overlaps by mask. Outlines are filled at the size of the detections' masks. Throws ArgumentError without a mask. */
export function maskOverlaps(detections: readonly Detection[], truths: readonly GroundTruth[]): Overlaps {
  const masks = detections.map(({ mask }, i) => {
    if (mask === undefined) throw new ArgumentError(`detection ${i} has no mask; evaluate its box with the type 'bbox'`);
    return mask;
  });
  const objects = masks.length === 0 ? [] : truths.map((truth, i) => truthMask(truth, i, masks[0].size));
  const values = table(masks, objects, (mask, object, _, j) => rleIou(mask, object, truths[j].crowd));
  return { values, areas: Float64Array.from(masks, rleArea) };
}

function truthMask({ segmentation }: GroundTruth, i: number, size: Rle['size']): Rle {
  if (segmentation === undefined) throw new ArgumentError(`object ${i} has no segmentation; evaluate boxes with the type 'bbox'`);
  return isRle(segmentation) ? segmentation : polygonsToRle(segmentation, size);
}

/**
 * Object keypoint similarity: the mean over the labelled joints of exp(−d² / (2 · area · (2σ)²)). Where no joint is labelled,
 * d is how far a joint lies outside of the box widened by its own size on all sides. A detection is as large as the box
 * around its joints.
 *
 * @see https://cocodataset.org/#keypoints-eval
 */
export function keypointOverlaps(
  detections: readonly Detection[],
  truths: readonly GroundTruth[],
  sigmas: readonly number[],
): Overlaps {
  const joints = detections.map(({ keypoints }, i) => checkJoints(keypoints, `detection ${i}`, sigmas));
  const variances = sigmas.map((sigma) => (2 * sigma) ** 2);
  const values = table(joints, truths, (found, truth, _, j) => {
    const labelled = isLabelled(truth);
    const known = labelled ? checkJoints(truth.keypoints, `object ${j}`, sigmas) : [];
    const [x1, y1, x2, y2] = truth.box;
    const [width, height] = [extent(x1, x2), extent(y1, y2)];
    const area = truthArea(truth) + Number.EPSILON;
    let sum = 0;
    let count = 0;
    found.forEach(({ x, y }, k) => {
      if (labelled && known[k].visibility === 0) return;
      const dx = labelled ? x - known[k].x : Math.max(0, x1 - width - x) + Math.max(0, x - (x1 + 2 * width));
      const dy = labelled ? y - known[k].y : Math.max(0, y1 - height - y) + Math.max(0, y - (y1 + 2 * height));
      sum += Math.exp(-((dx * dx + dy * dy) / variances[k] / area / 2));
      count++;
    });
    return sum / count;
  });
  const areas = joints.map((found) => {
    const [xs, ys] = [found.map(({ x }) => x), found.map(({ y }) => y)];
    return (Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys));
  });
  return { values, areas: Float64Array.from(areas) };
}

function checkJoints<T>(joints: readonly T[] | undefined, what: string, { length }: readonly number[]): readonly T[] {
  if (joints?.length !== length)
    throw new ArgumentError(`${what}: expected ${length} keypoints, one for each sigma, found ${joints?.length ?? 'none'}`);
  return joints;
}

/** Is any joint of the object labelled? */
export function isLabelled({ keypoints }: GroundTruth): boolean {
  return keypoints?.some(({ visibility }) => visibility > 0) ?? false;
}

/** The object's area in square pixels: as it is given, else that of its segmentation, else that of its box. */
export function truthArea({ area, segmentation, box }: GroundTruth): number {
  if (area !== undefined) return area;
  if (segmentation === undefined || segmentation === null) return boxArea(box);
  return isRle(segmentation) ? rleArea(segmentation) : polygonsArea(segmentation);
}

export function boxArea([x1, y1, x2, y2]: Box): number {
  return extent(x1, x2) * extent(y1, y2);
}

/**
 * The width that a file gave beside x1. x1 + width − x1 can differ from it in the last bits, and then fall on the other side
 * of a limit of area or overlap; what was written with at most nine decimals comes back exactly.
 */
function extent(from: number, to: number): number {
  return Math.round((to - from) * 1e9) / 1e9;
}

function isRle(segmentation: NonNullable<GroundTruth['segmentation']>): segmentation is Rle {
  return 'counts' in segmentation;
}

function table<A, B>(
  rows: readonly A[],
  columns: readonly B[],
  value: (row: A, column: B, i: number, j: number) => number,
): Float64Array {
  const values = new Float64Array(rows.length * columns.length);
  rows.forEach((row, i) => columns.forEach((column, j) => (values[i * columns.length + j] = value(row, column, i, j))));
  return values;
}
