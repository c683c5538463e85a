import { iouThresholds } from './match.js';
import type { EvaluationType } from './overlaps.js';
import { recallPoints } from './precision-recall.js';

/** An area range of COCO's evaluation, in square pixels, both ends included. */
export interface AreaRange {
  readonly name: 'all' | 'small' | 'medium' | 'large';
  readonly range: readonly [least: number, most: number];
}

/** What the arrays of an evaluation run over. */
export interface EvaluationAxes {
  readonly iou: readonly number[];
  readonly recall: readonly number[];
  readonly classes: readonly string[];
  readonly areas: readonly AreaRange[];
  readonly maxDetections: readonly number[];
}

/**
 * COCO's figures, in 0 … 1; −1 where there is no object to find. AP is the mean over IoU .50 … .95 (area under the curve of
 * precision over recall), AR the mean of the highest recalls. The fields that a type of evaluation does not have are absent.
 */
export interface AveragePrecisionSummary {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  /** Objects below 32² pixels; not for keypoints */
  readonly apSmall?: number;
  readonly apMedium: number;
  /** Objects above 96² pixels */
  readonly apLarge: number;
  /** With 1, 10 and 100 detections of a class in an image; not for keypoints */
  readonly ar1?: number;
  readonly ar10?: number;
  readonly ar100?: number;
  /** With 20 detections in an image; keypoints only */
  readonly ar?: number;
  readonly ar50?: number;
  readonly ar75?: number;
  readonly arSmall?: number;
  readonly arMedium: number;
  readonly arLarge: number;
}

const areas: readonly AreaRange[] = [
  { name: 'all', range: [0, 1e10] },
  { name: 'small', range: [0, 32 ** 2] },
  { name: 'medium', range: [32 ** 2, 96 ** 2] },
  { name: 'large', range: [96 ** 2, 1e10] },
];

/** The axes on which COCO evaluates boxes, masks or poses. */
export function evaluationAxes(type: EvaluationType, classes: readonly string[]): EvaluationAxes {
  const poses = type === 'keypoints';
  return {
    iou: iouThresholds,
    recall: recallPoints,
    classes,
    areas: poses ? areas.filter(({ name }) => name !== 'small') : areas,
    maxDetections: poses ? [20] : [1, 10, 100],
  };
}

/** Reads `precision` [iou, recall, class, area, max] or `recall` [iou, class, area, max] where all named coordinates hold. */
export function meanOver(
  values: Float64Array,
  { iou, classes, areas, maxDetections }: EvaluationAxes,
  at: { iou?: number; class?: number; area?: AreaRange['name']; max?: number },
): number {
  const area = areas.findIndex(({ name }) => name === (at.area ?? 'all'));
  const max = at.max ?? maxDetections.length - 1;
  const perThreshold = values.length / iou.length;
  const perPoint = classes.length * areas.length * maxDetections.length;
  let [sum, count] = [0, 0];
  for (let begin = 0; begin < values.length; begin += perPoint) {
    if (at.iou !== undefined && Math.floor(begin / perThreshold) !== at.iou) continue;
    for (let c = 0; c < classes.length; c++) {
      const value = values[begin + (c * areas.length + area) * maxDetections.length + max];
      if (value < 0 || (at.class !== undefined && at.class !== c)) continue;
      sum += value;
      count++;
    }
  }
  return count === 0 ? -1 : sum / count;
}

/** COCO's figures, in the order in which its tools print them. */
export function summarize(
  type: EvaluationType,
  precision: Float64Array,
  recall: Float64Array,
  axes: EvaluationAxes,
): AveragePrecisionSummary {
  const ap = (at: Parameters<typeof meanOver>[2] = {}): number => meanOver(precision, axes, at);
  const ar = (at: Parameters<typeof meanOver>[2] = {}): number => meanOver(recall, axes, at);
  const [at50, at75] = [{ iou: 0 }, { iou: 5 }];
  const [medium, large] = [{ area: 'medium' }, { area: 'large' }] as const;
  const common = { ap: ap(), ap50: ap(at50), ap75: ap(at75) };
  const sizes = { apMedium: ap(medium), apLarge: ap(large) };
  const recalls = { arMedium: ar(medium), arLarge: ar(large) };
  if (type === 'keypoints') return { ...common, ...sizes, ar: ar(), ar50: ar(at50), ar75: ar(at75), ...recalls };
  return {
    ...common,
    apSmall: ap({ area: 'small' }),
    ...sizes,
    ar1: ar({ max: 0 }),
    ar10: ar({ max: 1 }),
    ar100: ar({ max: 2 }),
    arSmall: ar({ area: 'small' }),
    ...recalls,
  };
}
