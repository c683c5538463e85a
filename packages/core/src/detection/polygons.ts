import type { MaskSize } from './rle.js';
import { mergeRles } from './rle.js';
import type { Polygons, Rle } from './types.js';

/** Outlines are followed on a grid this much finer than the pixels. */
const FINER = 5;

/**
 * The mask of an object given by its outlines: polygons [x, y, x, y, …] in pixels → RLE, their union.
 *
 * Which pixels an edge takes is COCO's rule, so that areas and overlaps equal those of its tools: each outline is drawn on
 * a 5 times finer grid, and a column of pixels changes where the drawn line crosses the column's middle.
 *
 * @see the mask API of https://github.com/cocodataset/cocoapi
 */
export function polygonsToRle(polygons: Polygons, size: MaskSize): Rle {
  const [height, width] = size;
  if (polygons.length === 0) return { size, counts: [height * width] };
  return mergeRles(
    polygons.map((polygon) => ({ size, counts: fill(crossings(polygon, height, width), height * width) })),
    'union',
  );
}

/** The area that outlines enclose, by the shoelace formula: Σ ½ |Σ xᵢ yᵢ₊₁ − xᵢ₊₁ yᵢ|, in square pixels. */
export function polygonsArea(polygons: Polygons): number {
  let area = 0;
  for (const polygon of polygons) {
    let twice = 0;
    for (let i = 0; i < polygon.length; i += 2) {
      const next = (i + 2) % polygon.length;
      twice += polygon[i] * polygon[next + 1] - polygon[next] * polygon[i + 1];
    }
    area += Math.abs(twice) / 2;
  }
  return area;
}

/** Positions (column by column) at which the inside begins or ends. */
function crossings(polygon: readonly number[], height: number, width: number): number[] {
  const found: number[] = [];
  let before: readonly [number, number] | undefined;
  for (const [u, v] of outline(polygon)) {
    if (before !== undefined && u !== before[0]) {
      // The step lies between two fine columns; it counts where those are the two sides of a column's middle.
      const x = ((u < before[0] ? u : u - 1) + 0.5) / FINER - 0.5;
      if (Number.isInteger(x) && x >= 0 && x <= width - 1) {
        const y = (Math.min(v, before[1]) + 0.5) / FINER - 0.5;
        found.push(x * height + Math.ceil(Math.min(Math.max(y, 0), height)));
      }
    }
    before = [u, v];
  }
  return found;
}

/** The points of the closed outline on the finer grid, edge after edge. */
function* outline(polygon: readonly number[]): Generator<readonly [u: number, v: number]> {
  const corner = (i: number): number => Math.trunc(FINER * polygon[i % polygon.length] + 0.5);
  for (let i = 0; i < polygon.length; i += 2) {
    let [x1, y1, x2, y2] = [corner(i), corner(i + 1), corner(i + 2), corner(i + 3)];
    const [dx, dy] = [Math.abs(x2 - x1), Math.abs(y2 - y1)];
    const flat = dx >= dy;
    // Both directions of an edge draw the same points.
    const flip = flat ? x1 > x2 : y1 > y2;
    if (flip) [x1, y1, x2, y2] = [x2, y2, x1, y1];
    const length = flat ? dx : dy;
    const slope = length === 0 ? 0 : (flat ? y2 - y1 : x2 - x1) / length;
    for (let step = 0; step <= length; step++) {
      const t = flip ? length - step : step;
      yield flat ? [t + x1, Math.trunc(y1 + slope * t + 0.5)] : [Math.trunc(x1 + slope * t + 0.5), t + y1];
    }
  }
}

/** Runs between the sorted positions; two changes at one position cancel. */
function fill(positions: number[], total: number): number[] {
  positions.sort((a, b) => a - b);
  const counts: number[] = [];
  let at = 0;
  let joined = false;
  for (const position of [...positions, total]) {
    const run = position - at;
    at = position;
    if (joined) {
      counts[counts.length - 1] += run;
      joined = false;
    } else if (run > 0 || counts.length === 0) counts.push(run);
    else joined = true;
  }
  return counts;
}
