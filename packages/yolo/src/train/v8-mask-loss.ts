import { type Scalar, type Tensor, matMul, mul, reshape, sum, tensor } from '@tensorflow/tfjs-core';
import { ArgumentError } from '@convkit/core';
import type { DetectionLabels } from '@convkit/core/train';
import { binaryCrossEntropy } from './box-losses.js';
import { findPositives } from './positives.js';
import type { YoloV8Targets } from './v8-targets.js';

/** Rounds halves to even. */
function nearest(x: number): number {
  const below = Math.floor(x);
  return below + (x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0) ? 1 : 0);
}

/**
 * Cross entropy of the masks of all positive anchor points and their objects' masks, over the pixels inside of the object's
 * box (its edges rounded to pixels), divided by the box's pixels; the mean over the positives. coefficients [N, A, k], prototypes [N, h, w, k] → a scalar.
 */
export function maskLoss(coefficients: Tensor, prototypes: Tensor, targets: YoloV8Targets, labels: DetectionLabels): Scalar {
  const [n, h, w, k] = prototypes.shape as [number, number, number, number];
  const { all, rows, places, select } = findPositives(targets);
  const truth = new Float32Array(n * rows * h * w);
  const weights = new Float32Array(n * rows * h * w);
  const [height, width] = labels.inputSize;
  for (const [i, { image, object }] of all.entries()) {
    const { mask, boxes } = labels.objects[image];
    if (mask?.length !== h * w) {
      throw new ArgumentError(
        `Image ${image} of the batch needs a mask of ${w}×${h} pixels to train segmentation, found ${mask?.length ?? 'none'}.`,
      );
    }
    const [x1, y1, x2, y2] = boxes.subarray(object * 4, object * 4 + 4);
    const share = 1 / (all.length * h * w * ((x2 - x1) / width) * ((y2 - y1) / height));
    const [left, right] = [x1, x2].map((x) => nearest((x * w) / width));
    const [top, bottom] = [y1, y2].map((y) => nearest((y * h) / height));
    for (let y = Math.max(0, top); y < Math.min(h, bottom); y++) {
      for (let x = Math.max(0, left); x < Math.min(w, right); x++) {
        const at = places[i] * h * w + y * w + x;
        truth[at] = mask[y * w + x] === object + 1 ? 1 : 0;
        weights[at] = share;
      }
    }
  }
  const logits = matMul(select(coefficients), reshape(prototypes, [n, h * w, k]), false, true);
  const shape: [number, number, number] = [n, rows, h * w];
  return sum(mul(binaryCrossEntropy(logits, tensor(truth, shape)), tensor(weights, shape)));
}
