import { FormatError } from '../errors.js';
import type { Preprocessing } from '../image.js';

/** The part of the preprocessing that a checkpoint states; the rest is the model's own. */
export type StoredPreprocessing = Partial<Preprocessing>;

/**
 * Reads a checkpoint's preprocessing: `{ mean, std, scale?, size?, resize?, interpolation? }` with mean and std of pixels
 * in 0…1 (`scale` "x/255") or 0…255 (`scale` "x"), or one of the phrases in use: "x/255", "x/127.5-1".
 * Throws FormatError that names what it does not understand: a wrong normalisation would only cost accuracy, silently.
 */
export function parsePreprocessing(value: unknown, where: string): StoredPreprocessing {
  if (typeof value === 'string') return phrase(value, where);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${where}: the normalisation must be { mean, std } or a phrase such as "x/127.5-1".`);
  }
  const { mean, std, scale = 'x/255', size, resize, interpolation } = value as Record<string, unknown>;
  const result: { -readonly [K in keyof StoredPreprocessing]: StoredPreprocessing[K] } = {};
  if (mean !== undefined || std !== undefined) {
    const unit = divisor(scale, where);
    result.mean = triple(mean, 'mean', where, unit);
    result.std = triple(std, 'std', where, unit);
    if (result.std.some((n) => n <= 0)) throw new FormatError(`${where}: std must be positive, not [${result.std}].`);
  }
  if (size !== undefined)
    result.size = Array.isArray(size)
      ? [whole(size[0], 'size', where), whole(size[1], 'size', where)]
      : whole(size, 'size', where);
  if (resize !== undefined) result.resize = whole(resize, 'resize', where);
  if (interpolation === 'bilinear' || interpolation === 'bicubic') result.interpolation = interpolation;
  else if (interpolation !== undefined) {
    throw new FormatError(`${where}: interpolation must be "bilinear" or "bicubic", not ${JSON.stringify(interpolation)}.`);
  }
  return result;
}

/** "RGB x/127.5-1", "x/255", "RGB, letterbox 640 with grey 114, x/255": the last part is the formula. */
function phrase(text: string, where: string): StoredPreprocessing {
  const formula = /(?:^|[\s,])x\s*\/\s*(127\.5\s*-\s*1|255)(?:\.0)?$/.exec(text.trim())?.[1].replaceAll(' ', '');
  if (formula === '127.5-1') return { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  if (formula === '255') return { mean: [0, 0, 0], std: [1, 1, 1] };
  throw new FormatError(
    `${where}: the normalisation ${JSON.stringify(text)} is not understood; write { "mean": […], "std": […] }.`,
  );
}

/** What mean and std must be divided by to hold for pixels in 0…1. */
function divisor(scale: unknown, where: string): number {
  if (scale === 'x/255') return 1;
  if (scale === 'x') return 255;
  throw new FormatError(`${where}: scale must be "x/255" or "x", not ${JSON.stringify(scale)}.`);
}

function triple(value: unknown, name: string, where: string, unit: number): [number, number, number] {
  const list: unknown[] = Array.isArray(value) ? value : [];
  const numbers = list.filter((n): n is number => typeof n === 'number' && Number.isFinite(n));
  if (numbers.length !== 3 || list.length !== 3)
    throw new FormatError(`${where}: ${name} must be three numbers, not ${JSON.stringify(value)}.`);
  return [numbers[0] / unit, numbers[1] / unit, numbers[2] / unit];
}

function whole(value: unknown, name: string, where: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw new FormatError(`${where}: ${name} must be a whole number of pixels, not ${JSON.stringify(value)}.`);
}
