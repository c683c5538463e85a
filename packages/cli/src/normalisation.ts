import { existsSync, readFileSync } from 'node:fs';
import type { Preprocessing } from '@convkit/core';
import { FormatError } from '@convkit/core';

type Rgb = readonly [number, number, number];
type Normalisation = Pick<Preprocessing, 'mean' | 'std'>;

/** How images are prepared for weights, and where that is written. */
export interface ChosenPreprocessing {
  preprocessing: Preprocessing;
  source: string;
}

export interface PreprocessingSources {
  /** Path of the weight file. */
  weights: string;
  metadata: Readonly<Record<string, string>>;
  /** The variant's own. */
  published: Preprocessing;
  mean?: Rgb;
  std?: Rgb;
}

/**
 * Preprocessing belongs to the checkpoint. In this order: `--mean` and `--std`; the weight file's metadata (`preprocessing`,
 * or `normalisation`); `normalisation` of a `.json` beside the file; the variant's own.
 */
export function choosePreprocessing(sources: PreprocessingSources): ChosenPreprocessing {
  const { weights, metadata, published, mean, std } = sources;
  const found = fromMetadata(metadata, published) ??
    fromSidecar(weights, published) ?? { preprocessing: published, source: "the variant's own" };
  if (!mean && !std) return found;
  const given = [mean && '--mean', std && '--std'].filter(Boolean).join(' and ');
  return {
    preprocessing: { ...found.preprocessing, ...(mean ? { mean } : {}), ...(std ? { std } : {}) },
    source: mean && std ? given : `${given}, the rest from ${found.source}`,
  };
}

function fromMetadata(metadata: Readonly<Record<string, string>>, published: Preprocessing): ChosenPreprocessing | undefined {
  const source = "the weight file's metadata";
  if (metadata.preprocessing !== undefined) {
    const stored = parseJson(metadata.preprocessing, source) as Partial<Preprocessing> | null;
    const normalisation = readNormalisation(stored, source);
    return { preprocessing: { ...published, ...stored, ...normalisation }, source };
  }
  if (metadata.normalisation === undefined) return undefined;
  const text = metadata.normalisation;
  const value: unknown = text.trimStart().startsWith('{') ? parseJson(text, source) : text;
  return { preprocessing: { ...published, ...readNormalisation(value, source) }, source };
}

function fromSidecar(weights: string, published: Preprocessing): ChosenPreprocessing | undefined {
  const path = weights.replace(/\.[^./\\]+$/, '.json');
  if (path === weights || !existsSync(path)) return undefined;
  const content = parseJson(readFileSync(path, 'utf8'), path) as { normalisation?: unknown } | null;
  if (content?.normalisation === undefined) return undefined;
  return { preprocessing: { ...published, ...readNormalisation(content.normalisation, path) }, source: path };
}

/** `{ mean: [r, g, b], std: [r, g, b] }` for pixels in 0 … 1, or `x/127.5-1` as Keras writes it. */
function readNormalisation(value: unknown, source: string): Normalisation {
  if (typeof value === 'string' && /x\s*\/\s*127\.5\s*-\s*1/.test(value)) return { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
  const { mean, std, scale = 'x/255' } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (!isRgb(mean) || !isRgb(std) || scale !== 'x/255' || std.some((deviation) => deviation <= 0)) {
    throw new FormatError(
      `${source}: expected a normalisation with mean and std of three numbers each, for x/255, found ${JSON.stringify(value)?.slice(0, 120)}; give --mean and --std`,
    );
  }
  return { mean, std };
}

const isRgb = (value: unknown): value is Rgb =>
  Array.isArray(value) && value.length === 3 && value.every((part) => typeof part === 'number' && Number.isFinite(part));

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${source}: not JSON (${(error as Error).message})`);
  }
}
