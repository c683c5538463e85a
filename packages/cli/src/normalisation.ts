import type { ModelInfo, OpenedWeights, Preprocessing } from '@convkit/core';

/** How images are prepared for weights, and where that is written. */
export interface ChosenPreprocessing {
  preprocessing: Preprocessing;
  source: string;
}

export interface Overrides {
  mean?: readonly [number, number, number];
  std?: readonly [number, number, number];
}

/**
 * Preprocessing belongs to the checkpoint: `--mean` and `--std`, then what the weight file or its `.json` says, then the table of
 * published weights, then the variant's own.
 */
export function choosePreprocessing(
  info: ModelInfo,
  { file, published, tag }: OpenedWeights,
  { mean, std }: Overrides,
): ChosenPreprocessing {
  const own = published ? `published with ${tag}` : "the variant's own";
  const stored = Object.hasOwn(file.metadata, 'preprocessing') ? "the weight file's metadata" : 'the .json beside the weights';
  const base = file.preprocessing ? stored : own;
  const given = [mean && '--mean', std && '--std'].filter(Boolean).join(' and ');
  const source = given === '' ? base : mean && std ? given : `${given}, the rest from ${base}`;
  const { preprocessing } = published ?? info;
  return { preprocessing: { ...preprocessing, ...file.preprocessing, ...(mean && { mean }), ...(std && { std }) }, source };
}
