import { ArgumentError } from '../errors.js';
import type { Box, Rle } from './types.js';

/** Height and width of a mask, in pixels. */
export type MaskSize = Rle['size'];

/**
 * The runs of a mask: [height·width] values row by row from the top, an object where they are not 0 → RLE.
 *
 * With `within`, the mask is known to be 0 outside of that box and is not read there.
 *
 * @throws ArgumentError when the mask has another number of values than its size says.
 */
export function maskToRle(mask: ArrayLike<number>, size: MaskSize, within?: Box): Rle {
  const [height, width] = size;
  if (mask.length !== height * width) {
    throw new ArgumentError(
      `maskToRle: expected ${height}×${width} = ${height * width} values, found ${mask.length}; pass the mask's own size`,
    );
  }
  const [x1, y1, x2, y2] = within ?? [0, 0, width, height];
  const [left, top] = [Math.max(0, Math.floor(x1)), Math.max(0, Math.floor(y1))];
  const [right, bottom] = [Math.min(width, Math.ceil(x2)), Math.min(height, Math.ceil(y2))];
  const runs = new Runs();
  for (let x = left; x < right; x++) {
    runs.value(false, x * height);
    for (let y = top; y < bottom; y++) runs.value(mask[y * width + x] !== 0, x * height + y);
    runs.value(false, x * height + Math.max(top, bottom));
  }
  return { size, counts: runs.end(height * width) };
}

/** RLE → a mask of 0 and 1, [height·width] row by row from the top. */
export function rleToMask({ size: [height, width], counts }: Rle): Uint8Array {
  const mask = new Uint8Array(height * width);
  let at = 0;
  counts.forEach((count, i) => {
    const end = at + count;
    if (i % 2 === 1) for (let p = at; p < end; p++) mask[(p % height) * width + Math.floor(p / height)] = 1;
    at = end;
  });
  return mask;
}

/** Number of pixels of the object. */
export function rleArea({ counts }: Rle): number {
  let area = 0;
  for (let i = 1; i < counts.length; i += 2) area += counts[i];
  return area;
}

/** The smallest box around the object; all 0 when it has no pixel. */
export function rleBox({ size: [height], counts }: Rle): Box {
  let [x1, y1, x2, y2] = [Infinity, Infinity, 0, 0];
  let at = counts[0] ?? 0;
  for (let i = 1; i < counts.length; i += 2) {
    const last = at + counts[i] - 1;
    if (last >= at) {
      const [from, to] = [Math.floor(at / height), Math.floor(last / height)];
      x1 = Math.min(x1, from);
      x2 = Math.max(x2, to + 1);
      y1 = Math.min(y1, from === to ? at % height : 0);
      y2 = Math.max(y2, from === to ? (last % height) + 1 : height);
    }
    at = last + 1 + (counts[i + 1] ?? 0);
  }
  return x2 === 0 ? [0, 0, 0, 0] : [x1, y1, x2, y2];
}

/**
 * The mask of the pixels that are in any (union) or in all (intersection) of the masks.
 *
 * @throws ArgumentError for no masks, or masks of different sizes.
 */
export function mergeRles(rles: readonly Rle[], how: 'union' | 'intersection'): Rle {
  if (rles.length === 0) throw new ArgumentError('mergeRles: expected one mask or more, found none');
  return rles.reduce((a, b) => {
    checkSizes(a, b);
    const runs = new Runs();
    walk(a.counts, b.counts, (inA, inB, at) => runs.value(how === 'union' ? inA || inB : inA && inB, at));
    return { size: a.size, counts: runs.end(a.size[0] * a.size[1]) };
  });
}

/**
 * Intersection over union of two masks, in 0 … 1; with `crowd`, over the area of `detection` alone, since a crowd's outline
 * holds many objects.
 *
 * @throws ArgumentError for masks of different sizes.
 */
export function rleIou(detection: Rle, truth: Rle, crowd = false): number {
  checkSizes(detection, truth);
  let intersection = 0;
  walk(detection.counts, truth.counts, (inA, inB, at, end) => {
    if (inA && inB) intersection += end - at;
  });
  if (intersection === 0) return 0;
  const area = rleArea(detection);
  return intersection / (crowd ? area : area + rleArea(truth) - intersection);
}

function checkSizes(a: Rle, b: Rle): void {
  if (a.size[0] !== b.size[0] || a.size[1] !== b.size[1])
    throw new ArgumentError(`masks of one image must have one size, found ${a.size.join('×')} and ${b.size.join('×')}`);
}

/** Visits the stretches in which neither mask changes. */
function walk(
  a: readonly number[],
  b: readonly number[],
  visit: (inA: boolean, inB: boolean, begin: number, end: number) => void,
): void {
  let [i, j, at] = [0, 0, 0];
  let [endA, endB] = [a[0] ?? Infinity, b[0] ?? Infinity];
  while (i < a.length || j < b.length) {
    const end = Math.min(endA, endB);
    if (end > at) visit(i % 2 === 1 && i < a.length, j % 2 === 1 && j < b.length, at, end);
    at = end;
    if (endA === at) endA = ++i < a.length ? at + a[i] : Infinity;
    if (endB === at) endB = ++j < b.length ? at + b[j] : Infinity;
  }
}

/** Collects runs from the values at growing positions; a value holds until the next one. */
class Runs {
  readonly #counts: number[] = [];
  #inside = false;
  #begin = 0;

  value(inside: boolean, at: number): void {
    if (inside === this.#inside) return;
    this.#inside = inside;
    if (at === this.#begin && this.#counts.length > 0) {
      this.#begin -= this.#counts.pop() ?? 0; // the run before goes on
      return;
    }
    this.#counts.push(at - this.#begin);
    this.#begin = at;
  }

  end(at: number): readonly number[] {
    if (at > this.#begin || this.#counts.length === 0) this.#counts.push(at - this.#begin);
    return this.#counts;
  }
}
