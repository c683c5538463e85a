/** A closed outline: points in order, the last one joined to the first. */
export type Outline = readonly (readonly [x: number, y: number])[];

/** Rows are sampled this many times; columns are exact. */
const rowSamples = 4;

/**
 * How much of each pixel lies inside outlines (even-odd rule), 0 … 1: [side, side] into `coverage`.
 *
 * Points are in pixels: (0, 0) is the upper left corner.
 */
export function fillOutlines(outlines: readonly Outline[], coverage: Float32Array, side: number): void {
  coverage.fill(0);
  const crossings: number[] = [];
  const weight = 1 / rowSamples;
  for (let sample = 0; sample < side * rowSamples; sample++) {
    const y = (sample + 0.5) * weight;
    crossings.length = 0;
    for (const outline of outlines) addCrossings(outline, y, crossings);
    crossings.sort((a, b) => a - b);
    const row = Math.floor(y) * side;
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      fillSpan(coverage, row, Math.max(0, crossings[i]), Math.min(side, crossings[i + 1]), weight);
    }
  }
}

function addCrossings(outline: Outline, y: number, crossings: number[]): void {
  let [x0, y0] = outline[outline.length - 1];
  for (const [x1, y1] of outline) {
    if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
    x0 = x1;
    y0 = y1;
  }
}

function fillSpan(coverage: Float32Array, row: number, from: number, to: number, weight: number): void {
  if (to <= from) return;
  const first = Math.floor(from);
  const last = Math.floor(to);
  if (first === last) {
    coverage[row + first] += (to - from) * weight;
    return;
  }
  coverage[row + first] += (first + 1 - from) * weight;
  for (let x = first + 1; x < last; x++) coverage[row + x] += weight;
  if (to > last) coverage[row + last] += (to - last) * weight;
}
