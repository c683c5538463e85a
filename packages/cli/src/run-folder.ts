import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '@convkit/core';
import { readJson } from '@convkit/core/node';
import { UsageError } from './errors.js';
import type { ModelSettings } from './model.js';
import type { Recipe } from './recipe.js';

/** Everything that a run was started with: config.json. */
export interface RunConfig {
  convkit: string;
  model: string;
  settings: ModelSettings;
  data: { name: string; dir: string | null; limit: number | null; trainImages: number; validationImages: number };
  recipe: Recipe;
  seed: number;
  backend: string;
  /** Steps between checkpoints within an epoch. */
  checkpointEvery: number | null;
  /** The weights that the run started from: a tag, hf:…, a URL or a path. */
  weights: string | null;
  /** Rules that their names went through. */
  rename?: readonly string[];
  /** What does not train: `backbone`, or a regular expression of parameter names. */
  freeze?: string | null;
}

/** The files of a run folder. */
export const runFiles = (folder: string) => ({
  config: join(folder, 'config.json'),
  checkpoints: join(folder, 'checkpoints'),
  metrics: join(folder, 'metrics.csv'),
  steps: join(folder, 'steps.jsonl'),
  tensorboard: join(folder, 'tensorboard'),
  weights: join(folder, 'model.safetensors'),
  best: join(folder, 'best.safetensors'),
  curves: join(folder, 'curves.svg'),
  confusion: join(folder, 'confusion.svg'),
});

/** The folder for a new run. One that was asked for must be empty; otherwise the first free `runs/MODEL-DATA`. */
export function chooseRunFolder(asked: string | undefined, model: string, data: string): string {
  if (asked !== undefined) {
    if (!isFree(asked)) {
      const hint = existsSync(runFiles(asked).config)
        ? 'go on with that run by --resume, or give another --out'
        : 'give another --out';
      throw new UsageError(`--out ${asked} is not empty: ${hint}`);
    }
    return asked;
  }
  const base = join('runs', `${model}-${data.replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '') || 'data'}`);
  for (let n = 1; ; n++) {
    const folder = n === 1 ? base : `${base}-${n}`;
    if (isFree(folder)) return folder;
  }
}

function isFree(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return true;
    if (code === 'ENOTDIR') throw new UsageError(`--out ${folder}: a part of this path is a file, not a folder`);
    throw error;
  }
}

/** @throws UsageError where no run was started; FormatError when config.json is damaged. */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const { config: path } = runFiles(folder);
  if (!existsSync(path)) throw new UsageError(`--resume: there is no run in ${folder} (no config.json)`);
  const config = (await readJson(path)) as Partial<RunConfig> | null;
  const missing = (['model', 'settings', 'data', 'recipe', 'seed', 'backend'] as const).filter(
    (key) => config?.[key] === undefined,
  );
  if (missing.length > 0) throw new FormatError(`${path}: expected the settings of a run, but ${missing.join(', ')} is missing`);
  return config as RunConfig;
}
