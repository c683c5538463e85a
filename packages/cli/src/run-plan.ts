import { resolve } from 'node:path';
import { type ModelInfo, defaultTag, inputSize } from '@convkit/core';
import type { DataOptions, TrainingData } from './data.js';
import type { DetectionTraining } from './detection-training.js';
import { UsageError } from './errors.js';
import { type AnyModelFactory, findModel, isDetector } from './model-packages.js';
import { newModelSettings } from './model.js';
import type { CommonOptions, ForeignWeightsOptions } from './options.js';
import { type Recipe, checkRecipe, completeRecipe, recipeKeys } from './recipe.js';
import { type RunConfig, chooseRunFolder, readRunConfig } from './run-folder.js';
import { version } from './version.js';
import { lastingSource } from './weights.js';

export interface TrainOptions extends CommonOptions, Partial<ForeignWeightsOptions>, Partial<Omit<Recipe, 'clipNorm'>> {
  data?: string;
  dataDir?: string;
  out?: string;
  resume?: boolean;
  weights?: string;
  freeze?: string;
  /** Like `weights`; true for the default tag. */
  pretrained?: string | true;
  clipNorm?: number;
  imageSize?: number;
  limit?: number;
  checkpointEvery?: number;
}

/** What a run does, decided before anything is written. */
export interface TrainPlan {
  config: RunConfig;
  folder: string;
  data: AnyTrainingData;
  resume: boolean;
}

/** Images with a class each, or images with objects. */
export type AnyTrainingData = TrainingData | DetectionTraining;

/** Opens what the model can be trained on. */
type OpenData = (options: DataOptions, factory: AnyModelFactory) => Promise<AnyTrainingData>;

/** @throws UsageError for options that do not make a run, or that contradict the run to resume. */
export async function planRun(
  name: string | undefined,
  options: TrainOptions,
  explicit: ReadonlySet<string>,
  open: OpenData,
): Promise<TrainPlan> {
  return options.resume ? planResume(name, options, explicit, open) : planNew(name, options, explicit, open);
}

async function planNew(
  name: string | undefined,
  options: TrainOptions,
  explicit: ReadonlySet<string>,
  open: OpenData,
): Promise<TrainPlan> {
  if (name === undefined) throw new UsageError('which model? For example: convkit train resnet20 --data cifar10');
  if (options.data === undefined) throw new UsageError('--data is missing: cifar10, coco, synthetic, or a folder of images');
  const factory = await findModel(name);
  const folder = chooseRunFolder(options.out, factory.info.name, options.data);
  const data = await open({ data: options.data, dataDir: options.dataDir, limit: options.limit }, factory);
  const source = startWeights(options, factory.info);
  const { padding } = options;
  if (padding && !factory.info.padding)
    throw new UsageError(`${factory.info.name} has no choice of padding: leave out --padding`);
  const given = givenRecipe(options, explicit);
  const recipe = completeRecipe(data.kind, given, { fineTune: source !== undefined });
  checkRecipe(given, recipe, isDetector(factory));
  const config: RunConfig = {
    convkit: version,
    model: lastingModel(name, factory),
    settings: {
      ...newModelSettings(factory, { classes: data.train.classes, side: data.side, imageSize: options.imageSize }),
      ...(padding && { padding }),
    },
    data: {
      name: isFolder(options.data, data.kind) ? resolve(options.data) : options.data,
      dir: options.dataDir === undefined ? null : resolve(options.dataDir),
      limit: options.limit ?? null,
      trainImages: data.train.length,
      validationImages: data.validation.length,
    },
    recipe,
    seed: options.seed,
    backend: options.backend,
    checkpointEvery: options.checkpointEvery ?? null,
    weights: source ?? null,
    rename: options.rename ?? [],
    freeze: options.freeze ?? null,
  };
  return { config, folder, data, resume: false };
}

async function planResume(
  name: string | undefined,
  options: TrainOptions,
  explicit: ReadonlySet<string>,
  open: OpenData,
): Promise<TrainPlan> {
  const { out } = options;
  if (out === undefined) throw new UsageError('--resume needs the folder of the run: --out DIR');
  const config = await readRunConfig(out);
  const factory = await findModel(config.model);
  const model = name === undefined ? undefined : lastingModel(name, await findModel(name));
  refuseContradictions(out, contradictions(config, model, options, explicit));
  const { name: data, dir, limit } = config.data;
  const opened = await open({ data, dataDir: options.dataDir ?? dir ?? undefined, limit: limit ?? undefined }, factory);
  const { trainImages, validationImages } = config.data;
  if (opened.train.length !== trainImages || opened.validation.length !== validationImages) {
    const found = `${opened.train.length} + ${opened.validation.length}`;
    throw new UsageError(
      `${data} has changed: the run in ${out} was started with ${trainImages} + ${validationImages} images, now there are ${found}`,
    );
  }
  // The same bits only come from the same backend, but a run may move to another machine.
  const backend = explicit.has('backend') ? options.backend : config.backend;
  return {
    config: { ...config, backend, checkpointEvery: options.checkpointEvery ?? config.checkpointEvery ?? null },
    folder: out,
    data: opened,
    resume: true,
  };
}

/** The model as config.json keeps it: a published name, or where its configuration file lies. */
const lastingModel = (typed: string, { info }: AnyModelFactory): string =>
  typed.toLowerCase().endsWith('.cfg') ? resolve(typed) : info.name;

/** The weights to start from, as config.json keeps them. */
function startWeights({ weights, pretrained }: TrainOptions, info: ModelInfo): string | undefined {
  if (weights !== undefined && pretrained !== undefined)
    throw new UsageError('--weights and --pretrained name the same thing: give one');
  if (pretrained === true) return defaultTag(info.name, info.weights);
  const source = weights ?? pretrained;
  return source === undefined ? undefined : lastingSource(info, source);
}

/** What was typed for `--weights`, as the run has it: a tag or an address as it is, a path absolute. */
const lasting = (typed: string, started: string | null): string => (typed === started ? typed : resolve(typed));

/** An option that was typed, what it says, and what the run was started with. */
type Contradiction = readonly [option: string, typed: unknown, started: unknown];

function contradictions(
  config: RunConfig,
  model: string | undefined,
  options: TrainOptions,
  explicit: ReadonlySet<string>,
): Contradiction[] {
  const { data, settings, recipe } = config;
  const typedData = options.data === data.name ? data.name : resolve(options.data ?? '');
  const pairs: Contradiction[] = [
    ['--data', typedData, data.name],
    ['--limit', options.limit, data.limit],
    ['--seed', options.seed, config.seed],
    ['--weights', options.weights && lasting(options.weights, config.weights), config.weights],
    ['--padding', options.padding, settings.padding],
    ['--freeze', options.freeze, config.freeze ?? null],
    ['--image-size', options.imageSize, inputSize(settings.preprocessing)[0]],
    ...recipeKeys.map((key): Contradiction => [flagOf(key), options[key], recipe[key]]),
  ];
  const typed = pairs.filter(([flag]) => explicit.has(optionOf(flag)));
  const all: Contradiction[] = model === undefined ? typed : [['the model', model, config.model], ...typed];
  return all.filter(([, now, started]) => JSON.stringify(now) !== JSON.stringify(started));
}

const isFolder = (name: string, kind: AnyTrainingData['kind']): boolean =>
  kind === 'folder' || kind === 'records' || (kind === 'objects' && name !== 'coco');

function refuseContradictions(out: string, found: readonly Contradiction[]): void {
  if (found.length === 0) return;
  const list = found.map(([flag, typed, started]) => `${flag} ${String(typed)} (the run has ${String(started)})`).join(', ');
  throw new UsageError(`the run in ${out} was started with other settings: ${list}; leave them out, or start a new run`);
}

const flagOf = (key: string): string =>
  key === 'augment' ? '--no-augment' : `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
const optionOf = (flag: string): string =>
  flag.replace(/^--(no-)?/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The part of the recipe that was typed. */
function givenRecipe(options: TrainOptions, explicit: ReadonlySet<string>): Partial<Recipe> {
  return Object.fromEntries(recipeKeys.filter((key) => explicit.has(key)).map((key) => [key, options[key]]));
}
