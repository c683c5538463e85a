import { type Tensor, matMul, tensor } from '@tensorflow/tfjs-core';
import type { YoloV8Targets } from './v8-targets.js';

/** An anchor point that is to find an object. */
export interface Positive {
  readonly image: number;
  readonly anchor: number;
  /** Index into the image's objects. */
  readonly object: number;
}

/** The positive anchor points of a batch, in rows of one length for each image. */
export interface Positives {
  readonly all: readonly Positive[];
  /** Rows of each image: as many as the image with the most positives has, up to a multiple of 32, so that few shapes occur. */
  readonly rows: number;
  /** The row of each of `all` among `rows` · N. */
  readonly places: readonly number[];
  /** What the net says at the positive points: [N, A, k] → [N, rows, k], zeros in rows without one. */
  readonly select: (values: Tensor) => Tensor;
}

export function findPositives({ assignments }: YoloV8Targets): Positives {
  const perImage = assignments.map(({ object }, image) =>
    Array.from(object.keys())
      .filter((anchor) => object[anchor] >= 0)
      .map((anchor): Positive => ({ image, anchor, object: object[anchor] })),
  );
  const rows = 32 * Math.max(1, Math.ceil(Math.max(...perImage.map(({ length }) => length)) / 32));
  const anchors = assignments[0].object.length;
  const all = perImage.flat();
  const places = perImage.flatMap((own, image) => own.map((_, i) => image * rows + i));
  const chosen = new Float32Array(assignments.length * rows * anchors);
  for (const [i, { anchor }] of all.entries()) chosen[places[i] * anchors + anchor] = 1;
  // As a product with a matrix of zeros and ones, whose gradient every backend has.
  const select = (values: Tensor): Tensor => matMul(tensor(chosen, [assignments.length, rows, anchors]), values);
  return { all, rows, places, select };
}
