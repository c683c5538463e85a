import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';

/** Bins of the distribution over each side's distance (`reg_max`). */
export const BINS = 16;

/** Pixels of the input to a cell of each level, finest first. */
export const STRIDES = [8, 16, 32] as const;

/**
 * What YOLOv8 says of N images of H × W pixels, training or not. A is the number of anchor points: one for each cell of the levels
 * at strides 8, 16 and 32, row by row, finest level first (`anchorPoints`).
 */
export interface YoloV8Output {
  /** Corners x1, y1, x2, y2 in pixels of the input: [N, A, 4]. */
  readonly boxes: Tensor3D;
  /** Probability of each class, the sigmoid of its logit: [N, A, classes]. */
  readonly scores: Tensor3D;
  /** Segmentation: each anchor's weights of the prototypes, [N, A, 32]. */
  readonly coefficients?: Tensor3D;
  /** Segmentation: prototype masks [N, H/4, W/4, 32]; sigmoid(prototypes · coefficients) is the mask of an anchor. */
  readonly prototypes?: Tensor4D;
  /** Poses: x, y in pixels of the input, and the probability of being visible: [N, A, keypoints, 3]. */
  readonly keypoints?: Tensor4D;
  /** What the above was computed from, as losses take it. */
  readonly raw: {
    /** Logits of the distance to the left, top, right and lower side, 16 bins each, in strides: [N, A, 4 · 16]. */
    readonly distances: Tensor3D;
    /** Class logits: [N, A, classes]. */
    readonly classes: Tensor3D;
    /** x and y before decoding, and the logit of being visible: [N, A, keypoints · 3]. */
    readonly keypoints?: Tensor3D;
  };
}

/** Where the anchor points of an input lie. */
export interface AnchorPoints {
  readonly count: number;
  /** x, y of each point in cells of its level, the cell's centre: 0.5, 1.5 … */
  readonly points: Float32Array;
  /** Pixels to a cell, for each point. */
  readonly strides: Float32Array;
}

/** The anchor points of an input of height × width pixels, row by row, finest level first. */
export function anchorPoints(height: number, width: number): AnchorPoints {
  const levels = STRIDES.map((stride) => ({ stride, rows: height / stride, columns: width / stride }));
  const count = levels.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const points = new Float32Array(2 * count);
  const strides = new Float32Array(count);
  let at = 0;
  for (const { stride, rows, columns } of levels) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++, at++) {
        points[2 * at] = x + 0.5;
        points[2 * at + 1] = y + 0.5;
        strides[at] = stride;
      }
    }
  }
  return { count, points, strides };
}
