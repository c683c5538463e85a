import {
  type OptimizerFactory,
  type Position,
  type Schedule,
  adam,
  adamw,
  constant,
  cosine,
  multistep,
  oneCycle,
  rmsprop,
  sgd,
  stepDecay,
} from '@convkit/core/train';
import type { DataKind } from './data.js';
import type { ObjectDataKind } from './detection-training.js';
import { UsageError } from './errors.js';

/** How a model is trained: every setting, none left open, so that config.json can reproduce the run. */
export interface Recipe {
  epochs: number;
  batchSize: number;
  optimizer: 'sgd' | 'adam' | 'adamw' | 'rmsprop';
  lr: number;
  momentum: number;
  weightDecay: number;
  schedule: 'cosine' | 'onecycle' | 'step' | 'multistep' | 'constant';
  stepEpochs: number;
  milestones: number[];
  warmupEpochs: number;
  labelSmoothing: number;
  augment: boolean;
  accumulate: number;
  clipNorm: number | null;
  /** Of detectors: last epochs without mosaics, part of the mosaics that are mixed, sizes of the input around its own. */
  closeMosaic?: number;
  mixup?: number;
  multiScale?: number;
}

export const recipeKeys = [
  ...['epochs', 'batchSize', 'optimizer', 'lr', 'momentum', 'weightDecay', 'schedule', 'stepEpochs', 'milestones'],
  ...['warmupEpochs', 'labelSmoothing', 'augment', 'accumulate', 'clipNorm'],
  ...['closeMosaic', 'mixup', 'multiScale'],
] as readonly (keyof Recipe)[];

const shared = {
  optimizer: 'sgd',
  momentum: 0.9,
  schedule: 'cosine',
  warmupEpochs: 1,
  labelSmoothing: 0,
  augment: true,
  accumulate: 1,
  clipNorm: null,
} as const;

/** Batch, rate and augmentation of He et al. 2015, section 4.2; a cosine in the place of their steps, and a shorter run. */
const cifar = { ...shared, epochs: 20, batchSize: 128, lr: 0.1, weightDecay: 5e-4 } as const;

/** What YOLOv8 was trained with, but for its 64 images a step, and a cosine in the place of a line. */
const objects = {
  ...shared,
  ...{ epochs: 100, batchSize: 16, lr: 0.01, momentum: 0.937, weightDecay: 5e-4, warmupEpochs: 3, clipNorm: 10 },
  ...{ closeMosaic: 10, mixup: 0, multiScale: 0 },
} as const;

/** What is chosen for each kind of data when the command line leaves it open. */
const defaults = {
  cifar10: cifar,
  records: cifar,
  synthetic: { ...shared, epochs: 5, batchSize: 64, lr: 0.1, weightDecay: 5e-4 },
  folder: { ...shared, epochs: 20, batchSize: 32, lr: 0.02, weightDecay: 1e-4 },
  objects,
  drawn: { ...objects, epochs: 20, optimizer: 'adamw', lr: 2e-3, warmupEpochs: 1 },
} as const satisfies Record<DataKind | ObjectDataKind, Partial<Recipe>>;

/** Peak rates of the optimizers whose steps do not scale with the gradient. */
const adaptive = {
  adam: { lr: 1e-3, weightDecay: 0 },
  adamw: { lr: 1e-3, weightDecay: 0.01 },
  rmsprop: { lr: 1e-3, weightDecay: 0 },
};

/** Fills what the command line leaves open. Fine-tuning starts from a tenth of the rate. */
export function completeRecipe(kind: DataKind | ObjectDataKind, given: Partial<Recipe>, options: { fineTune: boolean }): Recipe {
  const optimizer = given.optimizer ?? defaults[kind].optimizer;
  const own: Partial<Recipe> = optimizer === 'sgd' || optimizer === defaults[kind].optimizer ? {} : adaptive[optimizer];
  const base = { ...defaults[kind], ...own };
  const epochs = given.epochs ?? base.epochs;
  return {
    ...base,
    lr: options.fineTune ? base.lr / 10 : base.lr,
    stepEpochs: Math.max(1, Math.round(epochs / 3)),
    milestones: [Math.round(epochs / 2), Math.round((3 * epochs) / 4)].filter((epoch) => epoch > 0),
    warmupEpochs: epochs > 1 ? base.warmupEpochs : 0,
    ...withoutUndefined(given),
  };
}

/** `decayKernelsOnly` spares biases and norms the weight decay of sgd, adam and adamw. */
export function makeOptimizer({ optimizer, momentum, weightDecay }: Recipe, decayKernelsOnly = false): OptimizerFactory {
  const decay = { weightDecay, decayKernelsOnly };
  if (optimizer === 'sgd') return sgd({ momentum, nesterov: momentum > 0, ...decay });
  if (optimizer === 'adam') return adam(decay);
  if (optimizer === 'adamw') return adamw(decay);
  return rmsprop({ momentum, weightDecay });
}

export function makeSchedule(recipe: Recipe): Schedule {
  const { schedule, lr: peak, warmupEpochs, stepEpochs, milestones } = recipe;
  if (schedule === 'cosine') return cosine({ peak, warmupEpochs });
  if (schedule === 'step') return stepDecay({ peak, warmupEpochs, everyEpochs: stepEpochs });
  if (schedule === 'multistep') return multistep({ peak, warmupEpochs, epochs: milestones });
  if (schedule === 'constant') return constant({ peak, warmupEpochs });
  return oneCycle({ peak }); // rises by itself
}

/** YOLOv8's warmup for sgd: biases come down from a rate of 0.1, the momentum goes up from 0.8. */
export function warmupSchedules(recipe: Recipe): { biasSchedule?: Schedule; momentumSchedule?: Schedule } {
  if (recipe.optimizer !== 'sgd') return {};
  const whole = makeSchedule(recipe);
  const ramp = (position: Position): number => Math.min(1, position.step / (recipe.warmupEpochs * position.stepsPerEpoch));
  const between = (from: number, to: number, t: number): number => (t < 1 ? from + (to - from) * t : to);
  return {
    biasSchedule: (position) => (ramp(position) < 1 ? between(0.1, recipe.lr, ramp(position)) : whole(position)),
    momentumSchedule: (position) => between(Math.min(0.8, recipe.momentum), recipe.momentum, ramp(position)),
  };
}

/** @throws UsageError for settings that only make sense together with another one. */
export function checkRecipe(given: Partial<Recipe>, recipe: Recipe, isDetector = false): void {
  const foreign = (isDetector ? (['labelSmoothing'] as const) : (['closeMosaic', 'mixup', 'multiScale'] as const)).find(
    (key) => given[key] !== undefined,
  );
  if (foreign) {
    const flag = `--${foreign.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`${flag} is for nets that ${isDetector ? 'classify images' : 'find objects'}`);
  }
  const adamLike = recipe.optimizer === 'adam' || recipe.optimizer === 'adamw';
  if (given.momentum !== undefined && adamLike)
    throw new UsageError(`--momentum does not apply to --optimizer ${recipe.optimizer}`);
  if (given.stepEpochs !== undefined && recipe.schedule !== 'step') throw new UsageError('--step-epochs needs --schedule step');
  if (given.milestones !== undefined && recipe.schedule !== 'multistep')
    throw new UsageError('--milestones needs --schedule multistep');
  if (given.warmupEpochs !== undefined && recipe.schedule === 'onecycle') {
    throw new UsageError('--warmup-epochs does not apply to --schedule onecycle, which rises by itself');
  }
}

function withoutUndefined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
