import {
  type AveragePrecisionResult,
  type DetectOptions,
  type Detection,
  type DetectionConfusionReport,
  type Detector,
  type EvaluationType,
  averagePrecision,
  detectionConfusion,
} from '@convkit/core/detection';
import { type DetectionDataset, matchClasses } from '@convkit/datasets';
import { UsageError } from './errors.js';

/** What a detector does on a data set. */
export interface DetectionEvaluation {
  /** 'bbox', and 'segm' or 'keypoints' for nets that give them. */
  readonly results: Readonly<Partial<Record<EvaluationType, AveragePrecisionResult>>>;
  readonly confusion: DetectionConfusionReport;
  /** Of each image, with the classes of the data set. */
  readonly detections: readonly { readonly id: number | string; readonly detections: readonly Detection[] }[];
  readonly imagesPerSecond: number;
}

const evaluated: Record<Detector['task'], readonly EvaluationType[]> = {
  detect: ['bbox'],
  segment: ['bbox', 'segm'],
  pose: ['bbox', 'keypoints'],
};

/**
 * Runs a detector over all images, and compares what it finds with what is there. Classes belong together by their names; what the data
 * set has no class for does not count.
 *
 * @throws UsageError when model and data have no class in common.
 */
export async function evaluateDetector(
  model: Detector,
  data: DetectionDataset,
  rules: DetectOptions,
  onProgress: (state: { done: number; total: number }) => void,
): Promise<DetectionEvaluation> {
  const places = matchClasses(model.classes, data.classes);
  if (places.every((place) => place < 0)) {
    throw new UsageError(
      `the model knows none of the data's classes: ${model.classes.slice(0, 3).join(', ')} … against ${data.classes.slice(0, 3).join(', ')} …`,
    );
  }
  const evaluations = evaluated[model.task].map((type) => averagePrecision({ classes: data.classes, type }));
  const confusion = detectionConfusion({ classes: data.classes });
  const detections: { id: number | string; detections: readonly Detection[] }[] = [];
  const start = performance.now();
  let next = data.load(0);
  for (let i = 0; i < data.length; i++) {
    const { id, image, objects } = await next;
    if (i + 1 < data.length) {
      next = data.load(i + 1); // is decoded while the net works
      next.catch(() => undefined); // told when it is its turn
    }
    const found = (await model.detect(image, rules))
      .map((detection) => ({ ...detection, class: places[detection.class] }))
      .filter((detection) => detection.class >= 0);
    for (const evaluation of evaluations) evaluation.add(id, found, objects);
    confusion.add(id, found, objects);
    detections.push({ id, detections: found });
    onProgress({ done: i + 1, total: data.length });
  }
  return {
    results: Object.fromEntries(evaluations.map((evaluation) => [evaluation.type, evaluation.result()])),
    confusion: confusion.result(),
    detections,
    imagesPerSecond: data.length / ((performance.now() - start) / 1000),
  };
}
