import type { DetectionLabels } from '@convkit/core/train';
import { type AnchorPoints, BINS, type YoloV8Output } from '../v8/output.js';
import { type AssignerOptions, type Assignment, assignTaskAligned } from './task-aligned.js';

/** What each of the A anchor points of N images should say, on the host. */
export interface YoloV8Targets {
  readonly assignments: readonly Assignment[];
  /** [N, A, classes], 0 … 1 */
  readonly scores: Float32Array;
  /** [N, A, 1]: the target score of the anchor's object, 0 without one. */
  readonly weights: Float32Array;
  /** [N, A, 4] corners in cells of the anchor's level; where there is no object, a cell around the point. */
  readonly boxes: Float32Array;
  /** [N, A, 4] distances from the point to the sides in cells, at most `BINS` − 1.01. */
  readonly distances: Float32Array;
  /** Sum of all target scores, at least 1: what the losses are divided by. */
  readonly total: number;
}

/** Assigns the objects of a batch to anchor points. Reads the boxes and scores that the net predicts, which ends the step's first graph. */
export function yoloV8Targets(
  output: Pick<YoloV8Output, 'boxes' | 'scores'>,
  labels: DetectionLabels,
  anchors: AnchorPoints,
  options?: AssignerOptions,
): YoloV8Targets {
  const [boxes, scores] = [output.boxes.dataSync(), output.scores.dataSync()] as Float32Array[];
  const perImage = { boxes: anchors.count * 4, scores: scores.length / labels.length };
  const assignments = labels.objects.map((objects, image) => {
    const part = (values: Float32Array, size: number): Float32Array => values.subarray(image * size, (image + 1) * size);
    const predictions = { boxes: part(boxes, perImage.boxes), scores: part(scores, perImage.scores) };
    return assignTaskAligned(predictions, anchors, objects, options);
  });
  return fillTargets(assignments, labels, anchors, perImage.scores / anchors.count);
}

function fillTargets(
  assignments: readonly Assignment[],
  { objects }: DetectionLabels,
  { count, points, strides }: AnchorPoints,
  numClasses: number,
): YoloV8Targets {
  const n = assignments.length;
  const scores = new Float32Array(n * count * numClasses);
  const weights = new Float32Array(n * count);
  const boxes = new Float32Array(n * count * 4);
  const distances = new Float32Array(n * count * 4);
  let total = 0;
  for (const [image, { object, score }] of assignments.entries()) {
    for (let anchor = 0; anchor < count; anchor++) {
      const row = image * count + anchor;
      const found = object[anchor];
      for (let side = 0; side < 4; side++) {
        const point = points[2 * anchor + (side % 2)];
        const sign = side < 2 ? -1 : 1;
        const edge = found < 0 ? point + sign / 2 : objects[image].boxes[found * 4 + side] / strides[anchor];
        boxes[row * 4 + side] = edge;
        distances[row * 4 + side] = Math.min(Math.max(sign * (edge - point), 0), BINS - 1.01);
      }
      if (found < 0) continue;
      weights[row] = score[anchor];
      scores[row * numClasses + objects[image].classes[found]] = score[anchor];
      total += score[anchor];
    }
  }
  return { assignments, scores, weights, boxes, distances, total: Math.max(total, 1) };
}
