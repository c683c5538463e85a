import type { GroundTruth } from '@convkit/core/detection';
import type { Labelled } from './labelled.js';

/** Left and right exchanged, joints under their new names. */
export function flip({ image, objects }: Labelled, mirroredJoints: readonly number[]): Labelled {
  const { width, height, pixels } = image;
  const mirrored = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      const to = (y * width + width - 1 - x) * 3;
      mirrored[to] = pixels[from];
      mirrored[to + 1] = pixels[from + 1];
      mirrored[to + 2] = pixels[from + 2];
    }
  }
  return { image: { ...image, pixels: mirrored }, objects: objects.map((object) => flipObject(object, width, mirroredJoints)) };
}

function flipObject(object: GroundTruth, width: number, mirroredJoints: readonly number[]): GroundTruth {
  const { box, segmentation, keypoints } = object;
  const joints = keypoints?.map(({ x, y, visibility }) => ({ x: width - x, y, visibility }));
  const order = joints?.length === mirroredJoints.length ? mirroredJoints : joints?.map((_, i) => i);
  return {
    class: object.class,
    box: [width - box[2], box[1], width - box[0], box[3]],
    ...(segmentation &&
      !('counts' in segmentation) && {
        segmentation: segmentation.map((outline) => outline.map((value, i) => (i % 2 === 0 ? width - value : value))),
      }),
    ...(joints && order && { keypoints: order.map((i) => joints[i]) }),
  };
}
