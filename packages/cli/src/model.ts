import type { Classifier, Preprocessing } from '@convkit/core';
import { FormatError } from '@convkit/core';
import { type WeightsFile, loadWeights } from '@convkit/core/node';
import { UsageError } from './errors.js';
import { type AnyModelFactory, findModel } from './model-packages.js';
import { type ChosenPreprocessing, type Overrides, choosePreprocessing } from './normalisation.js';
import { fitWeights } from './weights.js';

/** The options that a variant is built with; they go into config.json and into the metadata of the weights. */
export interface ModelSettings {
  numClasses: number;
  classes: readonly string[];
  preprocessing: Preprocessing;
  /** ImageNet nets take their `small` stem for small images. */
  stem?: 'small';
}

/** Images below this side are too small for the stem of ImageNet nets, which shrinks them by 4 (and the whole net by 32). */
const SMALL_IMAGE = 64;

/** Settings of a new model for these classes; small pictures are not blown up to the size of ImageNet nets. */
export function newModelSettings(
  { info }: AnyModelFactory,
  data: { classes: readonly string[]; side?: number; imageSize?: number },
): ModelSettings {
  const { preprocessing: published } = info;
  const side = data.imageSize ?? (data.side && info.dataset === 'imagenet' ? data.side : undefined);
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
  weights: string;
  /** Class names for weights whose file does not name them. */
  classes?: readonly string[];
}

export interface LoadedModel extends ChosenPreprocessing {
  factory: AnyModelFactory;
  model: Classifier;
  file: WeightsFile;
}

/** Builds a variant as its weight file needs it, and loads the file strictly. */
export async function loadModel(name: string, options: LoadOptions): Promise<LoadedModel> {
  const factory = await findModel(name);
  const file = await loadWeights(options.weights);
  const trained = file.metadata.model;
  if (trained !== undefined && trained !== factory.info.name) {
    throw new UsageError(`${options.weights} holds weights of ${trained}, not of ${factory.info.name}`);
  }
  const chosen = choosePreprocessing(factory.info.preprocessing, file, options);
  const classes = classesOf(file, options.weights) ?? options.classes;
  const { stem } = file.metadata;
  const settings = {
    preprocessing: chosen.preprocessing,
    ...(classes ? { numClasses: classes.length, classes } : {}),
    ...(stem === undefined ? {} : { stem }), // an option of ResNet only; others are never saved with it
  };
  const model = factory(settings);
  try {
    fitWeights(model, file, { path: options.weights, name: factory.info.name });
  } catch (error) {
    model.dispose();
    throw error;
  }
  return { ...chosen, factory, model, file };
}

/** The metadata of a weight file from which, with its preprocessing, `loadModel` builds the same model again. */
export function weightMetadata(factory: AnyModelFactory, settings: ModelSettings): Record<string, string> {
  return {
    model: factory.info.name,
    classes: JSON.stringify(settings.classes),
    ...(settings.stem ? { stem: settings.stem } : {}),
  };
}

function classesOf(file: WeightsFile, path: string): readonly string[] | undefined {
  const { classes: text } = file.metadata;
  if (text === undefined) return undefined;
  try {
    const classes: unknown = JSON.parse(text);
    if (Array.isArray(classes) && classes.every((name) => typeof name === 'string')) return classes;
  } catch {
    // Reported below, like JSON that is not a list.
  }
  throw new FormatError(`${path}: expected the metadata 'classes' to be a JSON list of names, found ${text.slice(0, 80)}`);
}
