import { type Scalar, type Tensor, exp, mul, neg, reshape, slice, square, sub, sum, tensor } from '@tensorflow/tfjs-core';
import { ArgumentError } from '@convkit/core';
import { cocoSigmas } from '@convkit/core/detection';
import type { DetectionLabels } from '@convkit/core/train';
import type { AnchorPoints } from '../v8/output.js';
import { binaryCrossEntropy } from './box-losses.js';
import { findPositives } from './positives.js';
import type { YoloV8Targets } from './v8-targets.js';

/**
 * Losses of the joints at all positive anchor points. pose: 1 − e^(−d² / (8 σ² · area)) of each labelled joint, d its distance
 * and area that of the object's box, averaged over an object's labelled joints (Maji et al. 2022, arXiv:2204.06806). visibility:
 * cross entropy of the joint's last logit with being labelled. Both are means over the positives. σ is COCO's for 17 joints, else
 * 1 / K. keypoints [N, A, K, 3] in pixels, logits [N, A, 3 · K].
 */
export function poseLosses(
  keypoints: Tensor,
  logits: Tensor,
  targets: YoloV8Targets,
  labels: DetectionLabels,
  anchors: AnchorPoints,
): { pose: Scalar; visibility: Scalar } {
  const [n, , joints] = keypoints.shape as [number, number, number, number];
  const { all, rows, places, select } = findPositives(targets);
  const sigmas = joints === cocoSigmas.length ? cocoSigmas : new Array<number>(joints).fill(1 / joints);
  const truth = new Float32Array(n * rows * joints * 2);
  const scale = new Float32Array(n * rows * joints);
  const pose = new Float32Array(n * rows * joints);
  const labelled = new Float32Array(n * rows * joints);
  const counted = new Float32Array(n * rows * joints);
  for (const [i, { image, object }] of all.entries()) {
    const { boxes, keypoints: known } = labels.objects[image];
    const own = known?.subarray(object * joints * 3, (object + 1) * joints * 3);
    if (own?.length !== joints * 3) {
      throw new ArgumentError(
        `Object ${object} of image ${image} of the batch needs ${joints} keypoints to train poses, found ${own ? own.length / 3 : 'none'}.`,
      );
    }
    const [x1, y1, x2, y2] = boxes.subarray(object * 4, object * 4 + 4);
    const seen = sigmas.filter((_, joint) => own[joint * 3 + 2] !== 0).length;
    for (let joint = 0; joint < joints; joint++) {
      const at = places[i] * joints + joint;
      truth.set([own[joint * 3], own[joint * 3 + 1]], at * 2);
      scale[at] = 1 / (8 * sigmas[joint] ** 2 * (x2 - x1) * (y2 - y1));
      counted[at] = 1 / (all.length * joints);
      if (own[joint * 3 + 2] === 0) continue;
      labelled[at] = 1;
      pose[at] = 1 / (all.length * seen);
    }
  }
  const flat: [number, number, number] = [n, rows, joints];
  const part = (values: Tensor, from: number, size: number): Tensor =>
    slice(
      reshape(select(reshape(values, [n, anchors.count, joints * 3])), [n, rows, joints, 3]),
      [0, 0, 0, from],
      [-1, -1, -1, size],
    );
  const apart = sum(square(sub(part(keypoints, 0, 2), tensor(truth, [...flat, 2]))), -1);
  const similarity = exp(neg(mul(apart, tensor(scale, flat))));
  const visibility = binaryCrossEntropy(reshape(part(logits, 2, 1), flat), tensor(labelled, flat));
  return {
    pose: sum(mul(sub(1, similarity), tensor(pose, flat))),
    visibility: sum(mul(visibility, tensor(counted, flat))),
  };
}
