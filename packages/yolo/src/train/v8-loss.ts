import { type Scalar, type Tensor, add, div, mul, sub, sum, tensor } from '@tensorflow/tfjs-core';
import { ArgumentError } from '@convkit/core';
import type { DetectionLabels, Loss } from '@convkit/core/train';
import { BINS, type YoloV8Output, anchorPoints } from '../v8/output.js';
import { binaryCrossEntropy, distributionFocalLoss, overlapOf } from './box-losses.js';
import type { AssignerOptions } from './task-aligned.js';
import { maskLoss } from './v8-mask-loss.js';
import { poseLosses } from './v8-pose-loss.js';
import { yoloV8Targets } from './v8-targets.js';

/** How much each part of the loss counts; the defaults are those that YOLOv8 was trained with. */
export interface YoloV8LossOptions extends AssignerOptions {
  /** 1 − CIoU of the boxes; and the masks' cross entropy. Default 7.5. */
  readonly box?: number;
  /** Cross entropy of the class scores. Default 0.5. */
  readonly cls?: number;
  /** Distribution focal loss of the distances. Default 1.5. */
  readonly dfl?: number;
  /** Object keypoint similarity. Default 12. */
  readonly pose?: number;
  /** Cross entropy of the keypoints' visibility. Default 1. */
  readonly kobj?: number;
}

/** The weighted parts of the loss by name: box, cls, dfl, and seg, or pose and kobj. */
export type YoloV8Components = Readonly<Record<string, Scalar>>;

/**
 * The loss that YOLOv8 trains with, for detection, segmentation and poses: the sum of `yoloV8Components` times the number of
 * images. An image without objects has no positive anchor points, and counts in `cls` alone.
 */
export function yoloV8Loss(options: YoloV8LossOptions = {}): Loss<YoloV8Output, DetectionLabels> {
  return (output, labels) => {
    const parts = Object.values(yoloV8Components(output, labels, options));
    return mul(
      parts.reduce((total, part) => add(total, part)),
      labels.length,
    );
  };
}

/**
 * The parts of YOLOv8's loss, each times its gain. Box, cls and dfl are sums over the anchor points that `assignTaskAligned`
 * chose, weighted by their target scores and divided by the sum of these. The assignment is done on the host, between the
 * forward and the backward pass. Throws ArgumentError for a class that the net does not have, or keypoints of another number.
 */
export function yoloV8Components(
  output: YoloV8Output,
  labels: DetectionLabels,
  options: YoloV8LossOptions = {},
): YoloV8Components {
  const { box = 7.5, cls = 0.5, dfl = 1.5, pose = 12, kobj = 1 } = options;
  const { raw } = output;
  const [n, count, numClasses] = raw.classes.shape;
  const anchors = anchorPoints(...labels.inputSize);
  check(labels, n, count, anchors.count, numClasses);
  const targets = yoloV8Targets(output, labels, anchors, options);
  const { total } = targets;
  const cells = div(output.boxes, tensor(anchors.strides, [1, count, 1]));
  const weights = tensor(targets.weights, [n, count, 1]);
  const iou = overlapOf(cells, tensor(targets.boxes, [n, count, 4]), 'ciou');
  const scaled = (part: Tensor, gain: number): Scalar => mul<Scalar>(part, gain);
  const components: Record<string, Scalar> = {
    box: scaled(sum(mul(sub(1, iou), weights)), box / total),
    cls: scaled(sum(binaryCrossEntropy(raw.classes, tensor(targets.scores, [n, count, numClasses]))), cls / total),
    dfl: scaled(distributionFocalLoss(raw.distances, tensor(targets.distances, [n, count, 4]), weights, BINS), dfl / total),
  };
  if (output.coefficients && output.prototypes) {
    components.seg = scaled(maskLoss(output.coefficients, output.prototypes, targets, labels), box);
  }
  if (output.keypoints && raw.keypoints) {
    const losses = poseLosses(output.keypoints, raw.keypoints, targets, labels, anchors);
    components.pose = scaled(losses.pose, pose);
    components.kobj = scaled(losses.visibility, kobj);
  }
  return components;
}

function check(labels: DetectionLabels, n: number, count: number, expected: number, numClasses: number): void {
  const [height, width] = labels.inputSize;
  if (labels.length !== n || count !== expected) {
    throw new ArgumentError(
      `The labels are of ${labels.length} images of ${width}×${height} (${expected} anchor points); the net gave ${n} with ${count}.`,
    );
  }
  for (const [image, { classes }] of labels.objects.entries()) {
    const wrong = classes.find((label) => !(label >= 0 && label < numClasses));
    if (wrong !== undefined) {
      throw new ArgumentError(`Image ${image} of the batch has an object of class ${wrong}; the net has 0 … ${numClasses - 1}.`);
    }
  }
}
