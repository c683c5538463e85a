import type { PaddingStyle } from '@convkit/core';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** What every command takes. */
export interface CommonOptions {
  backend: string;
  seed: number;
  json: boolean;
}

/** What `foreignWeightsOptions` adds. */
export interface ForeignWeightsOptions {
  rename: string[];
  padding?: PaddingStyle;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--backend <name>', 'auto, cuda, webgpu, onnx, node, wasm or cpu; see convkit doctor', 'auto')
    .addOption(new Option('--seed <n>', 'of everything random').argParser(wholeNumber(0, 0xffffffff)).default(0))
    .option('--json', 'last line of standard output is one JSON object; progress goes to standard error', false);
}

/** Parses a whole number in `least … most`. */
export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `in ${least} … ${most}`;
    if (!/^\d+$/.test(text) || value < least || value > most) throw new InvalidArgumentError(`Expected a whole number ${range}.`);
    return value;
  };

/** Parses a number in `least … most`. */
export const number =
  (least: number, most = Infinity) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < least || value > most) {
      throw new InvalidArgumentError(
        `Expected a number ${most === Infinity ? `of at least ${least}` : `in ${least} … ${most}`}.`,
      );
    }
    return value;
  };

/** Parses a number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** Parses red, green and blue as `0.485,0.456,0.406`. */
export function threeShares(text: string): [number, number, number] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (values.length !== 3 || !values.every((value) => value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('Expected three numbers in 0 … 1, separated by commas, such as 0.485,0.456,0.406.');
  }
  return values as [number, number, number];
}

/** Parses `640` or `640x384` as width and height. */
export function sideOrSides(text: string): [width: number, height: number] {
  const [, width, height = width] = /^(\d+)(?:[x×](\d+))?$/.exec(text)?.map(Number) ?? [];
  // A group that did not take part gives NaN.
  const sides: [number, number] = [width, Number.isNaN(height) ? width : height];
  if (!sides.every((side) => side >= 1))
    throw new InvalidArgumentError('Expected a number of pixels, or WIDTHxHEIGHT such as 640x384.');
  return sides;
}

/** Parses `a,b,c` as whole numbers above 0. */
export function wholeNumbers(text: string): number[] {
  return text.split(',').map(wholeNumber(1));
}

/** Checks a regular expression of names; `backbone` stands for itself. */
export function namePattern(text: string): string {
  try {
    new RegExp(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError(`Expected 'backbone' or a regular expression: ${(error as Error).message}.`);
  }
}
