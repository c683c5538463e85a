import { ArgumentError } from '../../errors.js';
import type { Detection, GroundTruth } from '../types.js';
import { checkImage, nameImage } from './check.js';
import { match } from './match.js';
import type { EvaluationType, Overlaps } from './overlaps.js';
import { boxOverlaps, isLabelled, keypointOverlaps, maskOverlaps, truthArea } from './overlaps.js';
import { precisionRecall } from './precision-recall.js';
import { Records, counted } from './records.js';
import type { AveragePrecisionSummary, EvaluationAxes } from './summary.js';
import { evaluationAxes, meanOver, summarize } from './summary.js';

/** How far a joint of a person may be off, by COCO's measurement: nose, eyes, ears, shoulders … ankles. */
export const cocoSigmas: readonly number[] = [
  0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
];

/** What is evaluated. */
export interface AveragePrecisionOptions {
  readonly classes: readonly string[];
  /** Default: 'bbox' */
  readonly type?: EvaluationType;
  /** Of each keypoint. Default: COCO's 17 */
  readonly sigmas?: readonly number[];
}

/** The figures of one class. */
export interface ClassPrecision {
  readonly label: string;
  /** Over IoU .50 … .95; −1 without an object to find */
  readonly ap: number;
  readonly ap50: number;
  /** Objects to find */
  readonly objects: number;
  readonly detections: number;
}

/** Precision over recall of a class at IoU .50, at the 101 recalls of `EvaluationAxes`. */
export interface PrecisionRecallCurve {
  readonly label: string;
  readonly precision: Float64Array;
  /** The score down to which detections are taken at each point; 0 where that recall is not reached */
  readonly scores: Float64Array;
}

/** Everything that an evaluation knows. */
export interface AveragePrecisionResult {
  readonly type: EvaluationType;
  readonly images: number;
  readonly summary: AveragePrecisionSummary;
  readonly perClass: readonly ClassPrecision[];
  /** Of the classes that have an object to find */
  readonly curves: readonly PrecisionRecallCurve[];
  readonly axes: EvaluationAxes;
  /** [iou, recall, class, area, max detections], −1 without an object to find */
  readonly precision: Float64Array;
  /** [iou, class, area, max detections], −1 without an object to find */
  readonly recall: Float64Array;
}

/**
 * Average precision as COCO's evaluation defines it (`COCOeval` of pycocotools), image after image.
 *
 * ```ts
 * const evaluation = averagePrecision({ classes });
 * for (const { id, objects, detections } of images) evaluation.add(id, detections, objects);
 * evaluation.result().summary.ap50;
 * ```
 *
 * Of a class, the 100 detections with the highest scores of an image count (20 for keypoints). The order in which images are
 * added has no influence: equal scores are taken in the order of image ids. An annotation with the id 0 counts as any other;
 * pycocotools takes what finds it for a false alarm.
 *
 * @throws ArgumentError for keypoints whose sigmas are not positive.
 * @see Lin et al., Microsoft COCO, 2014; https://cocodataset.org/#detection-eval
 */
export function averagePrecision(options: AveragePrecisionOptions): AveragePrecision {
  return new AveragePrecision(options);
}

export class AveragePrecision {
  readonly type: EvaluationType;
  readonly classes: readonly string[];
  readonly #axes: EvaluationAxes;
  readonly #sigmas: readonly number[];
  readonly #images = new Set<string | number>();
  readonly #records: readonly Records[];

  constructor({ classes, type = 'bbox', sigmas = cocoSigmas }: AveragePrecisionOptions) {
    if (!sigmas.every((sigma) => sigma > 0))
      throw new ArgumentError(`averagePrecision: expected sigmas above 0, found ${sigmas.join(', ')}`);
    this.type = type;
    this.classes = classes;
    this.#sigmas = sigmas;
    this.#axes = evaluationAxes(type, classes);
    this.#records = classes.map(() => new Records(this.#axes.areas.length));
  }

  /**
   * Adds an image with what was found in it and what is there; both may be empty.
   *
   * @throws ArgumentError naming the image for an id that was added before, a class that does not exist, a NaN or infinite
   *   number, a box whose corners are swapped, or a mask or keypoints that are missing; nothing of the image counts then.
   */
  add(imageId: string | number, detections: readonly Detection[], groundTruth: readonly GroundTruth[]): void {
    if (this.#images.has(imageId)) throw new ArgumentError(`image ${imageId}: it was added before; add each image once`);
    checkImage(imageId, detections, groundTruth, this.classes.length);
    const present = new Set([...detections, ...groundTruth].map((object) => object.class));
    const evaluated = nameImage(imageId, () =>
      [...present].map((c) => {
        const ofClass = detections.filter((detection) => detection.class === c);
        const truths = groundTruth.filter((truth) => truth.class === c);
        return { c, ...this.#evaluate(ofClass, truths) };
      }),
    );
    for (const { c, scores, outcomes, objects } of evaluated) {
      this.#records[c].add(imageId, scores, outcomes);
      objects.forEach((count, a) => (this.#records[c].objects[a] += count));
    }
    this.#images.add(imageId);
  }

  /** The detections and objects of one class in one image. */
  #evaluate(detections: readonly Detection[], truths: readonly GroundTruth[]) {
    const best = [...detections].sort((a, b) => b.score - a.score).slice(0, this.#axes.maxDetections.at(-1));
    const { values, areas } = this.#overlaps(best, truths);
    const crowd = truths.map((truth) => truth.crowd ?? false);
    const ignored = truths.map(
      (truth, j) => crowd[j] || truth.ignore === true || (this.type === 'keypoints' && !isLabelled(truth)),
    );
    const truthAreas = Float64Array.from(truths, truthArea);
    const inRange = this.#axes.areas.map(({ range: [least, most] }) =>
      ignored.reduce((count, ignore, j) => count + Number(!ignore && truthAreas[j] >= least && truthAreas[j] <= most), 0),
    );
    const outcomes = this.#axes.areas.map(({ range }) => match(values, areas, { areas: truthAreas, crowd, ignored }, range));
    return { scores: best.map(({ score }) => score), outcomes, objects: inRange };
  }

  #overlaps(detections: readonly Detection[], truths: readonly GroundTruth[]): Overlaps {
    if (this.type === 'segm') return maskOverlaps(detections, truths);
    if (this.type === 'keypoints') return keypointOverlaps(detections, truths, this.#sigmas);
    return boxOverlaps(detections, truths);
  }

  /** The figures of the images so far; more may be added afterwards. */
  result(): AveragePrecisionResult {
    const { iou, recall: points, classes, areas, maxDetections } = this.#axes;
    const cell = areas.length * maxDetections.length;
    const precision = new Float64Array(iou.length * points.length * classes.length * cell).fill(-1);
    const recall = new Float64Array(iou.length * classes.length * cell).fill(-1);
    const curves: PrecisionRecallCurve[] = [];
    const places = new Map([...this.#images].sort(byId).map((id, place) => [id, place]));
    this.#records.forEach((records, c) => {
      const sorted = records.sorted(places);
      areas.forEach((_, a) => {
        if (records.objects[a] === 0) return;
        for (let t = 0; t < iou.length; t++) {
          maxDetections.forEach((most, m) => {
            const { found, scores } = counted(sorted, a, t, most);
            const curve = precisionRecall(found, scores, records.objects[a]);
            const at = c * cell + a * maxDetections.length + m;
            recall[t * classes.length * cell + at] = curve.recall;
            curve.precision.forEach((value, r) => (precision[(t * points.length + r) * classes.length * cell + at] = value));
            if (t === 0 && a === 0 && m === maxDetections.length - 1)
              curves.push({ label: classes[c], precision: curve.precision, scores: curve.scores });
          });
        }
      });
    });
    const perClass = classes.map((label, c) => ({
      label,
      ap: meanOver(precision, this.#axes, { class: c }),
      ap50: meanOver(precision, this.#axes, { class: c, iou: 0 }),
      objects: this.#records[c].objects[0],
      detections: this.#records[c].scores.length,
    }));
    const summary = summarize(this.type, precision, recall, this.#axes);
    return { type: this.type, images: this.#images.size, summary, perClass, curves, axes: this.#axes, precision, recall };
  }
}

/** Numbers by value, before texts. */
function byId(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : 1;
}
