import { Conv2d, type Context, Module, affine, concat, pipe, reshape, sigmoid, sliceChannels, softmax } from '@convkit/core';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { BINS, anchorPoints } from './output.js';

/**
 * The mean of a distribution over `BINS` distances: logits [N, A, 4 · BINS] → [N, A, 4] (distribution focal loss, Li et al. 2020,
 * https://arxiv.org/abs/2006.04388). Its weights are the distances 0, 1 … themselves: they are saved, but nothing trains them.
 */
export class Dfl extends Module {
  readonly conv = new Conv2d(BINS, 1, 1, { bias: false, init: (values) => values.forEach((_, i) => (values[i] = i)) });

  constructor() {
    super();
    Object.defineProperty(this.conv.weight, 'trainable', { get: () => false, set: () => undefined });
  }

  forward(logits: Tensor, ctx: Context): Tensor {
    const [n, anchors] = logits.shape as [number, number];
    const sides = (x: Tensor): Tensor => reshape(x, [n, anchors, 4, BINS]);
    return pipe(ctx, logits, sides, softmax, this.conv, (x) => reshape(x, [n, anchors, 4]));
  }
}

/** Distances to the left, top, right and lower side, [N, A, 4] in cells → corners [N, A, 4] in pixels of a height × width input. */
export function decodeBoxes(distances: Tensor, [height, width]: readonly [number, number]): Tensor3D {
  const { count, points, strides } = anchorPoints(height, width);
  const centres = new Float32Array(4 * count);
  const scales = new Float32Array(4 * count);
  for (let i = 0; i < 4 * count; i++) {
    centres[i] = points[2 * (i >> 2) + (i & 1)] * strides[i >> 2];
    scales[i] = (i & 2) === 0 ? -strides[i >> 2] : strides[i >> 2];
  }
  return affine(distances, scales, centres, [1, count, 4]) as Tensor3D;
}

/** x, y relative to the anchor point and the logit of being visible, [N, A, 3k] → pixels and probability, [N, A, k, 3]. */
export function decodeKeypoints(raw: Tensor, [height, width]: readonly [number, number]): Tensor4D {
  const { count, points, strides } = anchorPoints(height, width);
  const scales = points.map((_, i) => 2 * strides[i >> 1]);
  const corners = points.map((value, i) => (value - 0.5) * strides[i >> 1]);
  const each = reshape(raw, [-1, count, raw.shape[2]! / 3, 3]);
  const places = affine(sliceChannels(each, 0, 2), scales, corners, [1, count, 1, 2]);
  return concat([places, sigmoid(sliceChannels(each, 2, 1))]) as Tensor4D;
}
