import { FormatError } from '@convkit/core';
import { type GroundTruth, type Polygons, polygonsToRle, rleToMask } from '@convkit/core/detection';
import type { ObjectLabels } from '@convkit/core/train';

export interface LabelOptions {
  /** Of the net's input. */
  readonly width: number;
  readonly height: number;
  /** Draw the masks too. Default: false */
  readonly masks?: boolean;
  /** Joints of each object; default: none are given. */
  readonly joints?: number;
}

/** The objects of an image in the form that losses take. Throws FormatError for an object without the outline that a mask needs. */
export function toLabels(objects: readonly GroundTruth[], options: LabelOptions): ObjectLabels {
  const { masks = false, joints = 0 } = options;
  const keypoints = new Float32Array(objects.length * joints * 3);
  for (const [i, object] of objects.entries()) {
    const own = object.keypoints ?? [];
    for (const [joint, { x, y, visibility }] of own.slice(0, joints).entries()) {
      keypoints.set([x, y, visibility], (i * joints + joint) * 3);
    }
  }
  return {
    boxes: Float32Array.from(objects.flatMap(({ box }) => box)),
    classes: Int32Array.from(objects, (object) => object.class),
    ...(joints > 0 && { keypoints }),
    ...(masks && { mask: drawMasks(objects, options) }),
  };
}

/** Which object covers each pixel of a quarter of the resolution; the smallest are drawn last. */
function drawMasks(objects: readonly GroundTruth[], { width, height }: LabelOptions): Uint16Array {
  const [w, h] = [width / 4, height / 4];
  const result = new Uint16Array(w * h);
  const drawn = objects.map(({ segmentation }, i) => {
    if (!segmentation || 'counts' in segmentation) throw new FormatError(`expected an outline of object ${i}, found none`);
    const quarter: Polygons = segmentation.map((outline) => outline.map((value) => value / 4));
    const mask = rleToMask(polygonsToRle(quarter, [h, w]));
    return { mask, i, area: mask.reduce((sum, inside) => sum + inside, 0) };
  });
  for (const { mask, i } of drawn.sort((a, b) => b.area - a.area)) {
    mask.forEach((inside, at) => {
      if (inside) result[at] = i + 1;
    });
  }
  return result;
}
