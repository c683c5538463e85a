import { FormatError } from '../errors.js';
import type { MaskSize } from './rle.js';
import type { Rle } from './types.js';

/** Characters carry 6 bits above this code: 5 of the number, and one that says whether more follow. */
const FIRST = 48;
const MORE = 0x20;
const SIGN = 0x10;
const BITS = 5;
/** More digits than a count of 32 bits has. */
const MOST_DIGITS = 7;

/**
 * The runs of COCO's compressed text. From the fourth on, a count is written as its difference to the one two before, in
 * digits of 5 bits, the lowest first.
 *
 * @throws FormatError when the text is no such text or does not fill height × width.
 * @see the mask API of https://github.com/cocodataset/cocoapi
 */
export function rleFromString(text: string, size: MaskSize): Rle {
  const counts: number[] = [];
  for (let at = 0; at < text.length;) {
    let value = 0;
    let digits = 0;
    let digit: number;
    do {
      if (at === text.length) throw new FormatError(`RLE text: it ends within a number, after ${at} characters`);
      digit = text.charCodeAt(at) - FIRST;
      if (digit < 0 || digit > 63 || digits === MOST_DIGITS) {
        const found = JSON.stringify(text[at]);
        throw new FormatError(
          `RLE text: expected characters of 0 … o, ${MOST_DIGITS} for a number at most, found ${found} at ${at} of ${text.length}`,
        );
      }
      at++;
      value += (digit & (MORE - 1)) * 2 ** (BITS * digits++);
    } while (digit & MORE);
    if (digit & SIGN) value -= 2 ** (BITS * digits);
    counts.push(counts.length > 2 ? value + counts[counts.length - 2] : value);
  }
  return checkRle({ size, counts });
}

/** The runs as COCO's compressed text. */
export function rleToString({ counts }: Rle): string {
  let text = '';
  counts.forEach((count, i) => {
    let rest = i > 2 ? count - counts[i - 2] : count;
    let more: boolean;
    do {
      const digit = rest & (MORE - 1);
      rest >>= BITS;
      more = rest !== (digit & SIGN ? -1 : 0);
      text += String.fromCharCode((more ? digit | MORE : digit) + FIRST);
    } while (more);
  });
  return text;
}

/**
 * The mask itself, when its runs are whole numbers that fill height × width.
 *
 * @throws FormatError saying which run is wrong, or what the runs add up to.
 */
export function checkRle(rle: Rle): Rle {
  const [height, width] = rle.size;
  let sum = 0;
  rle.counts.forEach((count, i) => {
    if (!Number.isInteger(count) || count < 0)
      throw new FormatError(`RLE: expected runs of 0 or more pixels, run ${i} is ${count}`);
    sum += count;
  });
  if (sum !== height * width)
    throw new FormatError(`RLE: expected runs that add up to ${height}×${width} = ${height * width} pixels, found ${sum}`);
  return rle;
}
