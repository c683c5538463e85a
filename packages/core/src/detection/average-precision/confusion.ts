import type { Detection, GroundTruth } from '../types.js';
import { checkImage } from './check.js';
import { boxOverlaps } from './overlaps.js';

/** Which detections are compared. */
export interface DetectionConfusionOptions {
  readonly classes: readonly string[];
  /** Scores from here on count. Default: .25 */
  readonly confidence?: number;
  /** Boxes that overlap more than this belong together. Default: .45 */
  readonly iou?: number;
}

/** Counts of objects by what they are and what they were taken for. */
export interface DetectionConfusionReport {
  /** The data set's, and last 'background' */
  readonly classes: readonly string[];
  /**
   * counts[truth][prediction]. The last row holds detections where no object is, the last column objects that were not found.
   */
  readonly counts: readonly (readonly number[])[];
}

/**
 * Which classes a detector takes for which, image after image.
 *
 * Detections and objects of all classes are paired by their boxes, those that overlap most first, each once. Crowds and ignored
 * objects are not counted, nor is a detection without a pair that overlaps one of them.
 */
export function detectionConfusion(options: DetectionConfusionOptions): DetectionConfusion {
  return new DetectionConfusion(options);
}

export class DetectionConfusion {
  readonly classes: readonly string[];
  readonly #confidence: number;
  readonly #iou: number;
  readonly #counts: number[][];

  constructor({ classes, confidence = 0.25, iou = 0.45 }: DetectionConfusionOptions) {
    this.classes = classes;
    this.#confidence = confidence;
    this.#iou = iou;
    this.#counts = Array.from({ length: classes.length + 1 }, () => new Array<number>(classes.length + 1).fill(0));
  }

  /** Throws ArgumentError naming the image for a class that does not exist, a NaN, or a box whose corners are swapped. */
  add(imageId: string | number, detections: readonly Detection[], groundTruth: readonly GroundTruth[]): void {
    checkImage(imageId, detections, groundTruth, this.classes.length);
    const shown = detections.filter(({ score }) => score >= this.#confidence);
    const overlaps = boxOverlaps(shown, groundTruth).values;
    const counts = groundTruth.map(({ crowd, ignore }) => !crowd && !ignore);
    const pairs: { i: number; j: number; overlap: number }[] = [];
    const aside = new Set<number>();
    shown.forEach((_, i) => {
      groundTruth.forEach((_, j) => {
        const overlap = overlaps[i * groundTruth.length + j];
        if (overlap <= this.#iou) return;
        if (counts[j]) pairs.push({ i, j, overlap });
        else aside.add(i);
      });
    });
    const background = this.classes.length;
    const [paired, found] = [new Set<number>(), new Set<number>()];
    for (const { i, j } of pairs.sort((a, b) => b.overlap - a.overlap)) {
      if (paired.has(i) || found.has(j)) continue;
      paired.add(i);
      found.add(j);
      this.#counts[groundTruth[j].class][shown[i].class]++;
    }
    groundTruth.forEach((truth, j) => {
      if (counts[j] && !found.has(j)) this.#counts[truth.class][background]++;
    });
    shown.forEach((detection, i) => {
      if (!paired.has(i) && !aside.has(i)) this.#counts[background][detection.class]++;
    });
  }

  result(): DetectionConfusionReport {
    return { classes: [...this.classes, 'background'], counts: this.#counts.map((row) => [...row]) };
  }
}
