import { ArgumentError, ConvkitError } from '../../errors.js';
import type { Box, Detection, GroundTruth } from '../types.js';

/** Throws ArgumentError for detections or objects that cannot be evaluated, naming the image, the place in it, and what is wrong. */
export function checkImage(
  imageId: string | number,
  detections: readonly Detection[],
  groundTruth: readonly GroundTruth[],
  classes: number,
): void {
  nameImage(imageId, () => {
    detections.forEach((detection, i) => checkDetection(detection, i, classes));
    groundTruth.forEach((truth, i) => checkTruth(truth, i, classes));
  });
}

/** Runs `action`; an error of convkit's is thrown again with the id of the image. */
export function nameImage<T>(imageId: string | number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof ConvkitError) throw new ArgumentError(`image ${imageId}: ${error.message}`, { cause: error });
    throw error;
  }
}

function checkDetection(detection: Detection, i: number, classes: number): void {
  const what = `detection ${i}`;
  if (!Number.isFinite(detection.score)) throw new ArgumentError(`${what} has the score ${detection.score}; expected a number`);
  checkClass(detection.class, what, classes);
  checkBox(detection.box, what);
  detection.keypoints?.forEach(({ x, y }, k) => checkPoint(x, y, `${what}: keypoint ${k}`));
}

function checkTruth(truth: GroundTruth, i: number, classes: number): void {
  const what = truth.id === undefined ? `object ${i}` : `object ${i} (annotation ${truth.id})`;
  checkClass(truth.class, what, classes);
  checkBox(truth.box, what);
  if (truth.area !== undefined && !(truth.area >= 0 && truth.area < Infinity))
    throw new ArgumentError(`${what} has the area ${truth.area}; expected 0 or more`);
  truth.keypoints?.forEach(({ x, y }, k) => checkPoint(x, y, `${what}: keypoint ${k}`));
}

function checkClass(found: number, what: string, classes: number): void {
  if (!(Number.isInteger(found) && found >= 0 && found < classes))
    throw new ArgumentError(`${what} has the class ${found}; expected one of 0 … ${classes - 1}`);
}

function checkBox(box: Box, what: string): void {
  const [x1, y1, x2, y2] = box;
  if (!(box.every(Number.isFinite) && x2 >= x1 && y2 >= y1))
    throw new ArgumentError(`${what} has the box [${box.join(', ')}]; expected numbers x1 ≤ x2, y1 ≤ y2`);
}

function checkPoint(x: number, y: number, what: string): void {
  if (!Number.isFinite(x) || !Number.isFinite(y)) throw new ArgumentError(`${what} is at ${x}, ${y}; expected numbers`);
}
