import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  type ClassModel,
  type CommonConfig,
  type ModelFactory,
  type ModelInfo,
  type OpenedWeights,
  type PaddingStyle,
  type StateDict,
  type WeightsSource,
  FormatError,
  defaultTag,
  loadBackbone,
  loadStateDict,
  openWeights,
  renameRules,
} from '@convkit/core';
import { decimal, mebibytes } from './format.js';
import type { Progress } from './progress.js';

/** Weights that were got, and the rules that their names go through before the published ones or the model's own. */
export interface NamedWeights extends OpenedWeights {
  rules: readonly string[];
}

/** Gets the weights that `--weights` names: a tag, hf:…, a URL or a path; without it, the variant's default. */
export async function getWeights(
  { info, decodeWeights: decode }: ModelFactory<CommonConfig, ClassModel>,
  { weights, rename = [], padding }: { weights?: string; rename?: readonly string[]; padding?: PaddingStyle },
  progress?: Progress,
): Promise<NamedWeights> {
  renameRules(rename); // a rule that is none is told before the download
  const start = performance.now();
  const file = weights === undefined ? defaultTag(info.name, info.weights) : weightsSource(info, weights);
  const source: WeightsSource = { file, ...(padding && { padding }) };
  const opened = await openWeights(info, source, {
    decode,
    onProgress: ({ received, total = received }) => {
      const rate = received / ((performance.now() - start) / 1000);
      const details = [mebibytes(received), `${decimal(rate / 2 ** 20)} MiB/s`];
      progress?.update({ label: 'downloading weights', done: received, total, details, secondsLeft: (total - received) / rate });
    },
  });
  progress?.end();
  return { ...opened, rules: rename };
}

/** A path gets a folder, so that a file of any name can be told from a tag; tags and addresses stay as they are. */
export function weightsSource({ weights = {} }: ModelInfo, text: string): string {
  if (Object.hasOwn(weights, text) || /^(hf:|https?:\/\/)/i.test(text)) return text;
  const isWord = /^[\w-]+$/.test(text);
  if (isWord && !existsSync(text) && Object.keys(weights).length > 0) return text; // reported with the tags that there are
  return isWord ? `./${text}` : text;
}

/** The same as it is kept in config.json: a path is absolute. */
export function lastingSource(info: ModelInfo, text: string): string {
  const source = weightsSource(info, text);
  return Object.hasOwn(info.weights ?? {}, source) || /^(hf:|https?:\/\/)/i.test(source) ? source : resolve(source);
}

/** Loads every weight, or says in one line how far the file and the model are apart. */
export function fitWeights(model: ClassModel, weights: NamedWeights, info: ModelInfo): void {
  const rename = renaming(model, weights);
  const differences = compare(model, weights.file.tensors, rename);
  if (differences.length > 0) {
    throw new FormatError(
      `${weights.source} does not fit ${info.name}: ${differences.join('; ')}${prefixHint(model, weights, rename)}`,
    );
  }
  named(weights, () => loadStateDict(model, weights.file.tensors, { rename }));
}

/**
 * Starts a model from weights that may have been trained for other classes: then its head is drawn anew. Gives the names of
 * the head's weights.
 *
 * @throws FormatError if anything else does not fit.
 */
export function fitBackbone(model: ClassModel, weights: NamedWeights, info: ModelInfo, seed: number): readonly string[] {
  const rename = renaming(model, weights);
  try {
    return loadBackbone(model, weights.file.tensors, { rename, seed }).fresh;
  } catch (error) {
    fitWeights(model, weights, info); // says the same more briefly
    throw error;
  }
}

function renaming(model: ClassModel, { rules, published }: NamedWeights): (name: string) => string {
  const first = renameRules(rules);
  const second = published?.rename ?? ((name: string) => model.rename(name));
  return (name) => second(first(name));
}

function named<T>({ source }: NamedWeights, load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${source}: ${error.message}`, { cause: error }) : error;
  }
}

/** What a strict load would refuse, each kind with its first names. */
function compare(model: ClassModel, tensors: StateDict, rename: (name: string) => string): string[] {
  const states = [...model.state()];
  const names = new Set(states.map(([key]) => key));
  const shapes = new Map([...tensors].map(([key, { shape }]) => [rename(key), shape]));
  const missing = states.filter(([key, { kind }]) => kind !== 'counter' && !shapes.has(key)).map(([key]) => key);
  const unexpected = [...shapes.keys()].filter((key) => !names.has(key));
  const wrong = states.flatMap(([key, { shape }]) => {
    const found = shapes.get(key);
    return found && found.join() !== shape.join() ? [`${key} [${found.join(', ')}] instead of [${shape.join(', ')}]`] : [];
  });
  const kinds: [what: string, names: readonly string[]][] = [
    ['it lacks', missing],
    ['it has more', unexpected],
    ['other shapes', wrong],
  ];
  return kinds.filter(([, list]) => list.length > 0).map(([what, list]) => `${what}: ${firstOf(list)}`);
}

const firstOf = (names: readonly string[]): string =>
  names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');

/** Checkpoints of wrapped models carry one prefix on every name: the rule that takes it off. */
function prefixHint(model: ClassModel, { file }: NamedWeights, rename: (name: string) => string): string {
  const [first] = [...model.parameters()].map(([name]) => name);
  const names = [...file.tensors.keys()].map(rename);
  const prefix = names.find((name) => name.endsWith(`.${first}`))?.slice(0, -first.length);
  if (!prefix || !names.every((name) => name.startsWith(prefix))) return '';
  return `; every name starts with ${prefix}, which --rename '^${prefix.replaceAll('.', '\\.')}=' takes off`;
}
