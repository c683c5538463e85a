import { rleToMask } from '../rle.js';
import type { Rle } from '../types.js';

/** A closed line through corners of pixels: x1, y1, x2, y2, … */
export type Outline = readonly number[];

/** Right, down, left, up; and from a corner, the pixel ahead on the left of each, which is the one on the right of the direction before. */
const STEPS = [[1, 0], [0, 1], [-1, 0], [0, -1]] as const; // prettier-ignore
const AHEAD_LEFT = [[0, -1], [0, 0], [-1, 0], [-1, -1]] as const; // prettier-ignore

/**
 * The outlines of a mask, with the object on their right: one around every part, and one inside of it around every hole.
 * Filled by the rule 'evenodd' they give the mask.
 */
export function outlines(rle: Rle): Outline[] {
  const [height, width] = rle.size;
  const mask = rleToMask(rle);
  const filled = (x: number, y: number): boolean => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] === 1;
  const walked = new Uint8Array(width * height); // pixels along whose upper edge a line went
  const lines: Outline[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask[y * width + x] === 1 && walked[y * width + x] === 0 && !filled(x, y - 1)) lines.push(follow(x, y));
    }
  }
  return lines;

  function follow(startX: number, startY: number): Outline {
    const line: number[] = [];
    let [x, y, direction] = [startX, startY, 0];
    do {
      if (direction === 0) walked[y * width + x] = 1;
      x += STEPS[direction][0];
      y += STEPS[direction][1];
      const [left, right] = [AHEAD_LEFT[direction], AHEAD_LEFT[(direction + 1) % 4]];
      const isRight = filled(x + right[0], y + right[1]);
      const isLeft = filled(x + left[0], y + left[1]);
      if (isRight && !isLeft) continue;
      line.push(x, y);
      direction = (direction + (isRight ? 3 : 1)) % 4;
    } while (x !== startX || y !== startY || direction !== 0);
    return line;
  }
}
