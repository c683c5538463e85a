import {
  type AveragePrecisionResult,
  type Detection,
  type DetectionConfusionReport,
  type Detector,
  type EvaluateDetectorOptions,
  type EvaluationType,
  averagePrecision,
  detectionConfusion,
  evaluateDetector,
} from '@convkit/core/detection';
import { type DetectionDataset, matchClasses } from '@convkit/datasets';
import { UsageError } from './errors.js';

/** What a detector does on a data set. */
export interface DetectionReport {
  readonly boxes: AveragePrecisionResult;
  /** Of nets that give them. */
  readonly masks?: AveragePrecisionResult;
  readonly keypoints?: AveragePrecisionResult;
  readonly confusion: DetectionConfusionReport;
  /** Of each image, with the classes of the data set. */
  readonly detections: readonly { readonly id: number | string; readonly detections: readonly Detection[] }[];
  readonly imagesPerSecond: number;
}

const further: Record<Detector['task'], { name: 'masks' | 'keypoints'; type: EvaluationType } | undefined> = {
  detect: undefined,
  segment: { name: 'masks', type: 'segm' },
  pose: { name: 'keypoints', type: 'keypoints' },
};

/**
 * Runs a detector over all images, and compares what it finds with what is there. Classes belong together by their names; what the data
 * set has no class for does not count.
 *
 * @throws UsageError when model and data have no class in common.
 */
export async function reportOnDetector(
  model: Detector,
  data: DetectionDataset,
  rules: Pick<EvaluateDetectorOptions, 'confidence' | 'iou' | 'maxDetections'>,
  onProgress: (state: { done: number; total: number }) => void,
): Promise<DetectionReport> {
  const { classes } = data;
  const classIndices = matchClasses(model.classes, classes);
  if (classIndices.every((index) => index < 0)) {
    const some = (names: readonly string[]): string => names.slice(0, 3).join(', ');
    throw new UsageError(`the model knows none of the classes of the data: ${some(model.classes)} … against ${some(classes)} …`);
  }
  const more = further[model.task];
  const second = more && averagePrecision({ classes, type: more.type });
  const confusion = detectionConfusion({ classes });
  const detections: { id: number | string; detections: readonly Detection[] }[] = [];
  const start = performance.now();
  const boxes = await evaluateDetector(model, data, {
    ...rules,
    classIndices,
    evaluation: averagePrecision({ classes }),
    onImage: ({ index, id, objects, detections: found }) => {
      second?.add(id, found, objects);
      confusion.add(id, found, objects);
      detections.push({ id, detections: found });
      onProgress({ done: index + 1, total: data.length });
    },
  });
  return {
    boxes: boxes.result(),
    ...(more && { [more.name]: second!.result() }),
    confusion: confusion.result(),
    detections,
    imagesPerSecond: data.length / ((performance.now() - start) / 1000),
  };
}
