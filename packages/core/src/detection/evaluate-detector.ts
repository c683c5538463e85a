import type { Image } from '../image.js';
import { type AveragePrecision, averagePrecision } from './average-precision/average-precision.js';
import type { Detector } from './detector.js';
import type { Detection, GroundTruth } from './types.js';

/** Images with their objects: a detection data set of `@convkit/datasets` is one. */
export interface LabelledImages {
  readonly length: number;
  load(index: number): Promise<{ readonly id: number | string; readonly image: Image; readonly objects: readonly GroundTruth[] }>;
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
  /** What is added to; default: average precision of boxes, of masks or of keypoints, by the net's task. */
  readonly evaluation?: AveragePrecision;
  /** Told of each image with what was found in it; it is waited for. */
  readonly onImage?: (found: {
    readonly index: number;
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
  detector: Detector,
  images: LabelledImages,
  options: EvaluateDetectorOptions = {},
): Promise<AveragePrecision> {
  const { confidence = 0.001, iou, maxDetections, batchSize = 1, onImage, signal } = options;
  const evaluation = options.evaluation ?? averagePrecision({ classes: detector.classes, type: typeOf[detector.task] });
  const rules = {
    confidence,
    batchSize,
    ...(iou !== undefined && { iou }),
    ...(maxDetections !== undefined && { maxDetections }),
  };
  for (let start = 0; start < images.length; start += batchSize) {
    signal?.throwIfAborted();
    const count = Math.min(batchSize, images.length - start);
    const samples = await Promise.all(Array.from({ length: count }, (_, i) => images.load(start + i)));
    const found = await detector.detectAll(
      samples.map(({ image }) => image),
      rules,
    );
    for (const [i, { id, image, objects }] of samples.entries()) {
      evaluation.add(id, found[i], objects);
      await onImage?.({ index: start + i, image, objects, detections: found[i] });
    }
  }
  return evaluation;
}
