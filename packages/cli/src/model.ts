import type {
  ClassModel,
  Classifier,
  CommonConfig,
  ModelFactory,
  PaddingStyle,
  Preprocessing,
  StoredConfig,
} from '@convkit/core';
import type { Detector } from '@convkit/core/detection';
import { weightsConfig } from '@convkit/core';
import { UsageError } from './errors.js';
import { type AnyModelFactory, findClassifier, findDetector, findModel, isDetector } from './model-packages.js';
import { type ChosenPreprocessing, type Overrides, choosePreprocessing } from './normalisation.js';
import type { Progress } from './progress.js';
import { type NamedWeights, fitWeights, getWeights } from './weights.js';

/** The options that a variant is built with, as config.json has them. */
export interface ModelSettings extends StoredConfig {
  numClasses: number;
  classes: readonly string[];
  preprocessing: Preprocessing;
}

/** Images below this side are too small for the stem of ImageNet nets, which shrinks them by 4 (and the whole net by 32). */
const SMALL_IMAGE = 64;

/**
 * Settings of a new model for these classes; small pictures are not blown up to the size of ImageNet nets, which then take their
 * `small` stem.
 */
export function newModelSettings(
  factory: AnyModelFactory,
  data: { classes: readonly string[]; side?: number; imageSize?: number },
): ModelSettings {
  const { info } = factory;
  const { preprocessing: published } = info;
  const resizable = info.dataset === 'imagenet' || isDetector(factory);
  const side = data.imageSize ?? (resizable ? data.side : undefined);
  const small = info.dataset === 'imagenet' && side !== undefined && side < SMALL_IMAGE;
  return {
    numClasses: data.classes.length,
    classes: [...data.classes],
    preprocessing: side === undefined ? published : resized(published, side),
    ...(small ? { stem: 'small' } : {}),
  };
}

function resized(published: Preprocessing, side: number): Preprocessing {
  const { resize, size, ...rest } = published;
  const old = typeof size === 'number' ? size : Math.min(...size);
  return {
    ...rest,
    size: side,
    ...(resize !== undefined && side >= SMALL_IMAGE ? { resize: Math.round((resize / old) * side) } : {}),
  };
}

export interface LoadOptions extends Overrides {
  /** A tag, hf:…, a URL or a path; default: the variant's default tag. */
  weights?: string;
  /** Rules PATTERN=REPLACEMENT for the names of the file. */
  rename?: readonly string[];
  padding?: PaddingStyle;
  /** Class names for weights that do not name them. */
  classes?: readonly string[];
}

export interface LoadedModel<Model extends ClassModel> extends ChosenPreprocessing {
  factory: ModelFactory<CommonConfig, Model>;
  model: Model;
  /** The file that the weights came from, whose content is not kept beside the model. */
  weights: Pick<NamedWeights, 'source'>;
  /** How it pads; absent where the net leaves no choice. */
  padding?: PaddingStyle;
}

/** Builds a classifier as its weights need it, and loads them strictly. */
export const loadModel = async (name: string, options: LoadOptions, progress?: Progress): Promise<LoadedModel<Classifier>> =>
  load(await findClassifier(name), options, progress);

/** The same for a detector. */
export const loadDetector = async (name: string, options: LoadOptions, progress?: Progress): Promise<LoadedModel<Detector>> =>
  load(await findDetector(name), options, progress);

/** The same for any net. */
export const loadAnyModel = async (name: string, options: LoadOptions, progress?: Progress): Promise<LoadedModel<ClassModel>> =>
  load(await findModel(name), options, progress);

async function load<Model extends ClassModel>(
  factory: ModelFactory<CommonConfig, Model>,
  options: LoadOptions,
  progress?: Progress,
): Promise<LoadedModel<Model>> {
  const weights = await getWeights(factory, options, progress);
  const trained = weights.file.metadata.model;
  if (trained !== undefined && trained !== factory.info.name) {
    throw new UsageError(`${weights.source} holds weights of ${trained}, not of ${factory.info.name}`);
  }
  const brought = await weightsConfig(weights, factory.info);
  const named = weights.published !== undefined || weights.file.metadata.classes !== undefined;
  const classes = named ? undefined : options.classes;
  const chosen = choosePreprocessing(factory.info, weights, options);
  const model = factory({
    ...brought,
    ...(classes ? { numClasses: classes.length, classes } : {}),
    preprocessing: chosen.preprocessing,
  });
  try {
    fitWeights(model, weights, factory.info);
  } catch (error) {
    model.dispose();
    throw error;
  }
  const { padding = factory.info.padding } = brought;
  return { ...chosen, factory, model, weights: { source: weights.source }, ...(padding && { padding }) };
}
