import { type Keypoint, type Placement, unplacePoint } from '@convkit/core/detection';

/** Body joints from x, y, score of each in pixels of the net's input. */
export function keypointsOf(values: Float32Array, placement: Placement): Keypoint[] {
  return Array.from({ length: values.length / 3 }, (_, i) => {
    const [x, y] = unplacePoint(values[3 * i], values[3 * i + 1], placement);
    return { x, y, score: values[3 * i + 2] };
  });
}
