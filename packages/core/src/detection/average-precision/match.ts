/** IoU thresholds .50, .55 … .95; summed as the reference does, so that ties fall alike. */
export const iouThresholds: readonly number[] = Array.from({ length: 10 }, (_, i) =>
  i === 9 ? 0.95 : 0.5 + i * ((0.95 - 0.5) / 9),
);

const everyThreshold = (1 << iouThresholds.length) - 1;

/** The objects of one class in one image. */
export interface Objects {
  readonly areas: Float64Array;
  readonly crowd: readonly boolean[];
  readonly ignored: readonly boolean[];
}

/** Bit t of an outcome says that the detection found an object at threshold t, bit 16 + t that it counts neither as right nor as wrong. */
export const IGNORED = 16;

/**
 * Gives each detection, the best first, the free object that it overlaps most, at each IoU threshold.
 *
 * Of two that it overlaps alike, the later one. Objects that are ignored, or lie outside of the area range, are taken only when no other object is there; a crowd takes any
 * number of detections. A detection that finds nothing is ignored where its own area is out of range.
 *
 * @returns an outcome for each detection
 */
export function match(
  overlaps: Float64Array,
  detectionAreas: Float64Array,
  objects: Objects,
  [least, most]: readonly [number, number],
): Uint32Array {
  const count = objects.areas.length;
  const outside = (area: number): boolean => area < least || area > most;
  const ignored = objects.ignored.map((ignore, j) => ignore || outside(objects.areas[j]));
  const order = [...ignored.keys()].sort((a, b) => Number(ignored[a]) - Number(ignored[b]));
  const free = new Uint16Array(count).fill(everyThreshold);
  const outcomes = new Uint32Array(detectionAreas.length);
  for (let i = 0; i < outcomes.length; i++) {
    const alone = outside(detectionAreas[i]);
    for (let t = 0; t < iouThresholds.length; t++) {
      let best = iouThresholds[t];
      let chosen = -1;
      for (const j of order) {
        if (!(free[j] & (1 << t)) && !objects.crowd[j]) continue;
        if (chosen >= 0 && !ignored[chosen] && ignored[j]) break;
        const overlap = overlaps[i * count + j];
        if (overlap < best) continue;
        best = overlap;
        chosen = j;
      }
      if (chosen >= 0) free[chosen] &= ~(1 << t);
      if (chosen >= 0 ? ignored[chosen] : alone) outcomes[i] |= 1 << (IGNORED + t);
      else if (chosen >= 0) outcomes[i] |= 1 << t;
    }
  }
  return outcomes;
}
