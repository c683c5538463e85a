import { ArgumentError } from '@convkit/core';
import { rleFromString, rleToString } from '@convkit/core/detection';
import type { Box, Detection, EvaluationType, Rle } from '@convkit/core/detection';

/** A detection as COCO's result files have it. */
export interface CocoResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly score: number;
  /** x, y, width, height */
  readonly bbox?: readonly number[];
  readonly segmentation?: { readonly size: Rle['size']; readonly counts: string | readonly number[] };
  /** x, y, score of each */
  readonly keypoints?: readonly number[];
}

/** What gives detections their category ids and labels. */
interface Categories {
  readonly classes: readonly string[];
  /** Of each class */
  readonly categoryIds: readonly number[];
}

/**
 * The detections of an image for COCO's evaluation and its server: `JSON.stringify` of the results of all images is the file.
 *
 * A result has only what its type is evaluated by; pycocotools would take the size of an object from its box otherwise.
 *
 * @throws ArgumentError for a class without a category id, or masks or keypoints that are missing.
 */
export function detectionsToCoco(
  imageId: number,
  detections: readonly Detection[],
  categoryIds: readonly number[],
  type: EvaluationType = 'bbox',
): CocoResult[] {
  return detections.map((detection, i) => {
    const name = `image ${imageId}: detection ${i}`;
    const categoryId = categoryIds[detection.class];
    if (categoryId === undefined)
      throw new ArgumentError(`${name} has the class ${detection.class}; expected one of 0 … ${categoryIds.length - 1}`);
    const common = { image_id: imageId, category_id: categoryId, score: detection.score };
    if (type === 'bbox') return { ...common, bbox: sides(detection.box) };
    const { mask, keypoints } = detection;
    if (type === 'segm') {
      if (mask === undefined) throw new ArgumentError(`${name} has no mask`);
      return { ...common, segmentation: { size: mask.size, counts: rleToString(mask) } };
    }
    if (keypoints === undefined) throw new ArgumentError(`${name} has no keypoints`);
    return { ...common, keypoints: keypoints.flatMap(({ x, y, score }) => [x, y, score]) };
  });
}

/**
 * The detections of each image id in the results of a file. Without a box, it is the one around the keypoints, or empty.
 *
 * @throws ArgumentError for a result with a category that `categories` lacks, or with neither box, mask nor keypoints.
 */
export function detectionsFromCoco(
  results: readonly CocoResult[],
  { classes, categoryIds }: Categories,
): ReadonlyMap<number, readonly Detection[]> {
  const images = new Map<number, Detection[]>();
  results.forEach((result, i) => {
    const name = `result ${i} (image ${result.image_id})`;
    const c = categoryIds.indexOf(result.category_id);
    if (c < 0) throw new ArgumentError(`${name}: there is no category with the id ${result.category_id}`);
    const { bbox, segmentation } = result;
    const keypoints =
      result.keypoints &&
      Array.from({ length: result.keypoints.length / 3 }, (_, k) => {
        const [x, y, score] = result.keypoints?.slice(3 * k, 3 * k + 3) ?? [];
        return { x, y, score };
      });
    if (!bbox && !segmentation && !keypoints) throw new ArgumentError(`${name}: expected bbox, segmentation or keypoints`);
    const detection: Detection = {
      class: c,
      label: classes[c],
      score: result.score,
      box: bbox ? corners(bbox) : keypoints ? around(keypoints) : [0, 0, 0, 0],
      ...(segmentation && { mask: toRle(segmentation) }),
      ...(keypoints && { keypoints }),
    };
    const ofImage = images.get(result.image_id);
    if (ofImage) ofImage.push(detection);
    else images.set(result.image_id, [detection]);
  });
  return images;
}

/** x, y, width, height; the differences without the last bits that subtraction adds. */
function sides([x1, y1, x2, y2]: Box): number[] {
  const difference = (a: number, b: number): number => Math.round((b - a) * 1e9) / 1e9;
  return [x1, y1, difference(x1, x2), difference(y1, y2)];
}

function corners([x, y, width, height]: readonly number[]): Box {
  return [x, y, x + width, y + height];
}

function around(points: readonly { readonly x: number; readonly y: number }[]): Box {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function toRle({ size, counts }: NonNullable<CocoResult['segmentation']>): Rle {
  return typeof counts === 'string' ? rleFromString(counts, size) : { size, counts };
}
