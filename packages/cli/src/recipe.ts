import {
  type OptimizerFactory,
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
}

export const recipeKeys = [
  ...['epochs', 'batchSize', 'optimizer', 'lr', 'momentum', 'weightDecay', 'schedule', 'stepEpochs', 'milestones'],
  ...['warmupEpochs', 'labelSmoothing', 'augment', 'accumulate', 'clipNorm'],
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

/** What is chosen for each kind of data when the command line leaves it open. */
const defaults = {
  cifar10: cifar,
  records: cifar,
  synthetic: { ...shared, epochs: 5, batchSize: 64, lr: 0.1, weightDecay: 5e-4 },
  folder: { ...shared, epochs: 20, batchSize: 32, lr: 0.02, weightDecay: 1e-4 },
} as const satisfies Record<DataKind, Partial<Recipe>>;

/** Peak rates of the optimizers whose steps do not scale with the gradient. */
const adaptive = {
  adam: { lr: 1e-3, weightDecay: 0 },
  adamw: { lr: 1e-3, weightDecay: 0.01 },
  rmsprop: { lr: 1e-3, weightDecay: 0 },
};

/** Fills what the command line leaves open. Fine-tuning starts from a tenth of the rate. */
export function completeRecipe(kind: DataKind, given: Partial<Recipe>, options: { fineTune: boolean }): Recipe {
  const optimizer = given.optimizer ?? defaults[kind].optimizer;
  const base = { ...defaults[kind], ...(optimizer === 'sgd' ? {} : adaptive[optimizer]) };
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

export function makeOptimizer({ optimizer, momentum, weightDecay }: Recipe): OptimizerFactory {
  if (optimizer === 'sgd') return sgd({ momentum, nesterov: momentum > 0, weightDecay });
  if (optimizer === 'adam') return adam({ weightDecay });
  if (optimizer === 'adamw') return adamw({ weightDecay });
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

/** @throws UsageError for settings that only make sense together with another one. */
export function checkRecipe(given: Partial<Recipe>, recipe: Recipe): void {
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
