/** Recalls 0, .01 … 1 at which precision is read. */
export const recallPoints: readonly number[] = Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/** Precision over recall at one IoU threshold, for one class. */
export interface Curve {
  /** At each of `recallPoints` the highest precision at that recall or above; 0 where the recall is not reached */
  readonly precision: Float64Array;
  /** The score down to which detections are taken at that point; 0 where the recall is not reached */
  readonly scores: Float64Array;
  /** The highest recall that is reached */
  readonly recall: number;
}

/**
 * The curve of detections in the order of their scores.
 *
 * @param found for each detection that counts: 1 if it has found an object, else 0
 * @param objects how many objects there are to find, 1 at least
 */
export function precisionRecall(found: Uint8Array, scores: Float64Array, objects: number): Curve {
  const n = found.length;
  const [recalls, precisions] = [new Float64Array(n), new Float64Array(n)];
  let right = 0;
  for (let i = 0; i < n; i++) {
    right += found[i];
    recalls[i] = right / objects;
    precisions[i] = right / (i + 1 + Number.EPSILON);
  }
  for (let i = n - 2; i >= 0; i--) precisions[i] = Math.max(precisions[i], precisions[i + 1]);
  const precision = new Float64Array(recallPoints.length);
  const reached = new Float64Array(recallPoints.length);
  for (let r = 0, i = 0; r < recallPoints.length; r++) {
    while (i < n && recalls[i] < recallPoints[r]) i++;
    if (i === n) break;
    precision[r] = precisions[i];
    reached[r] = scores[i];
  }
  return { precision, scores: reached, recall: n === 0 ? 0 : recalls[n - 1] };
}
