import type { Image } from '../image.js';
import { type AveragePrecision, averagePrecision } from './average-precision/average-precision.js';
import type { Detector } from './detector.js';
import type { Detection, GroundTruth } from './types.js';

/** An image with its objects. */
export interface LabelledImage {
  readonly id: number | string;
  readonly image: Image;
  readonly objects: readonly GroundTruth[];
}

/** Images with their objects: a detection data set of `@convkit/datasets` is one. */
export interface LabelledImages {
  readonly length: number;
  load(index: number): Promise<LabelledImage>;
}

export interface EvaluateDetectorOptions {
  /** Score that a detection has at least. Default 0.001, as COCO is evaluated: average precision needs the doubtful ones too. */
  readonly confidence?: number;
  /** Default: the net's own. */
  readonly iou?: number;
  /** Default: the net's own. */
  readonly maxDetections?: number;
  /** Images that go through the net at once. Default 1. */
  readonly batchSize?: number;
  /** Index in the data's classes of each class of the net, −1 where it has none and does not count. Default: they are the same. */
  readonly classIndices?: readonly number[];
  /** What is added to; default: average precision of boxes, of masks or of keypoints, by the net's task. */
  readonly evaluation?: AveragePrecision;
  /** Told of each image with what was found in it; it is waited for. */
  readonly onImage?: (found: {
    readonly index: number;
    readonly id: number | string;
    readonly image: Image;
    readonly objects: readonly GroundTruth[];
    readonly detections: readonly Detection[];
  }) => void | Promise<void>;
  /** When aborted, the evaluation throws the signal's reason before the next batch. */
  readonly signal?: AbortSignal;
}

const typeOf = { detect: 'bbox', segment: 'segm', pose: 'keypoints' } as const;

/**
 * Runs a detector over images whose objects are known, and gives its average precision as COCO defines it.
 *
 *     const { ap, ap50 } = (await evaluateDetector(model, images)).result().summary;
 */
export async function evaluateDetector(
  detector: Pick<Detector, 'classes' | 'task' | 'detectAll'>,
  images: LabelledImages,
  options: EvaluateDetectorOptions = {},
): Promise<AveragePrecision> {
  const { confidence = 0.001, iou, maxDetections, batchSize = 1, classIndices, onImage, signal } = options;
  const evaluation = options.evaluation ?? averagePrecision({ classes: detector.classes, type: typeOf[detector.task] });
  const rules = {
    confidence,
    batchSize,
    multiLabel: true,
    evaluation: true,
    ...(iou !== undefined && { iou }),
    ...(maxDetections !== undefined && { maxDetections }),
  };
  const load = (start: number): ReturnType<typeof loadImages> => {
    const samples = loadImages(images, start, batchSize);
    samples.catch(() => undefined); // told when it is its turn
    return samples;
  };
  let next = load(0);
  for (let start = 0; start < images.length; start += batchSize) {
    signal?.throwIfAborted();
    const samples = await next;
    next = load(start + batchSize); // is decoded while the net works
    const found = await detector.detectAll(
      samples.map(({ image }) => image),
      rules,
    );
    for (const [i, { id, image, objects }] of samples.entries()) {
      const detections = inClasses(found[i], classIndices);
      evaluation.add(id, detections, objects);
      await onImage?.({ index: start + i, id, image, objects, detections });
    }
  }
  return evaluation;
}

const loadImages = (images: LabelledImages, start: number, count: number): Promise<LabelledImage[]> =>
  Promise.all(Array.from({ length: Math.max(0, Math.min(count, images.length - start)) }, (_, i) => images.load(start + i)));

const inClasses = (detections: readonly Detection[], indices: readonly number[] | undefined): readonly Detection[] =>
  indices
    ? detections.flatMap((found) => (indices[found.class] < 0 ? [] : [{ ...found, class: indices[found.class] }]))
    : detections;
