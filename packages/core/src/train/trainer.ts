import type { Tensor } from '@tensorflow/tfjs-core';
import { requireTrainingKernels } from '../backend/training-kernels.js';
import { ArgumentError, FormatError } from '../errors.js';
import { type NamePattern, matchingParameters } from '../freeze.js';
import type { Metric } from '../metrics/metric.js';
import { DEFAULT_SEED, type Module } from '../module.js';
import { Random } from '../random.js';
import type { StateDict } from '../weights/host-tensor.js';
import { loadStateDict } from '../weights/state-dict.js';
import type { BatchSource, Labels } from './batch.js';
import type { Checkpoint, CheckpointStore } from './checkpoint.js';
import { Ema, type EmaOptions } from './ema.js';
import { Fit, type Validation } from './fit.js';
import type { EpochRecord, Logger } from './logger.js';
import { type Loss, crossEntropy } from './losses.js';
import type { OptimizerFactory } from './optimizers.js';
import { type Best, Progress } from './progress.js';
import type { Schedule } from './schedules.js';
import { type LogitsOf, outputTensor } from './tensors.js';

export interface LayerRate {
  readonly pattern: NamePattern;
  /** Above 0; a layer that is not to change is frozen instead. */
  readonly factor: number;
}

export interface TrainerOptions<Output = Tensor, L extends Labels = Int32Array> {
  readonly optimizer: OptimizerFactory;
  readonly schedule: Schedule;
  /** The learning rate of biases; default: `schedule`. */
  readonly biasSchedule?: Schedule;
  /** The momentum of SGD, in the place of its own setting. */
  readonly momentumSchedule?: Schedule;
  /** Keeps a moving average of the weights, which validations and the best checkpoint then use. Default: none. */
  readonly ema?: EmaOptions;
  /** Default: cross entropy without smoothing. */
  readonly loss?: Loss<Output, L>;
  /** The loss of the validation; default: `loss`. */
  readonly validationLoss?: Loss<Output, L>;
  readonly metrics?: readonly Metric<L>[];
  /** Largest L2 norm of all gradients together; larger ones are scaled down to it. Default: no limit. */
  readonly clipNorm?: number;
  /** Batches to an optimizer step, averaged as if they were one batch. Default 1. */
  readonly accumulate?: number;
  /**
   * Parameters whose learning rate is this factor of the schedule's: a fine-tuned backbone may go slower than its new head.
   * The first pattern that fits a name counts; the others have factor 1.
   */
  readonly learningRates?: readonly LayerRate[];
  /** What the metrics look at; needed if the model's output is not one tensor. */
  readonly logits?: LogitsOf<Output>;
}

export interface FitOptions<L extends Labels = Int32Array> {
  /** How long the whole run is, epochs of an earlier part included. */
  readonly epochs: number;
  /** Evaluated after each epoch: a source, or a function that gives figures of its own, such as `ap`. */
  readonly validation?: BatchSource<L> | Validation;
  /** Gets a checkpoint after each epoch, and when the run is stopped. */
  readonly checkpoints?: CheckpointStore;
  /** And after every so many steps. */
  readonly checkpointEverySteps?: number;
  /** Go on from the newest checkpoint, if there is one. */
  readonly resume?: boolean;
  /** Of initial weights, order and augmentation of the data, and dropout. Default 0. */
  readonly seed?: number;
  /** When aborted, the step at hand is finished, a checkpoint saved, and `fit` gives `stopped: true`. */
  readonly signal?: AbortSignal;
  readonly loggers?: readonly Logger[];
}

export interface FitResult {
  /** Whole epochs and optimizer steps done, those before a resume included. */
  readonly epochs: number;
  readonly steps: number;
  /** True if the signal ended the run before its last epoch. */
  readonly stopped: boolean;
  readonly best?: Best;
  /** Every whole epoch of the run, those before a resume included. */
  readonly history: readonly EpochRecord[];
  /** The name of the newest checkpoint of this call. */
  readonly checkpoint?: string;
  /** Of this call. */
  readonly seconds: number;
}

/**
 * Trains a model on batches. Everything random depends on the seed and the position in the run only, so that a run resumed
 * from any of its checkpoints gives the same weights, bit for bit, as one that never stopped (on backends that compute the
 * same twice: cpu, wasm and onnx do).
 */
export class Trainer<Output = Tensor, L extends Labels = Int32Array> {
  readonly model: Module<Output>;
  readonly #options: TrainerOptions<Output, L>;

  constructor(model: Module<Output>, options: TrainerOptions<Output, L>) {
    const { accumulate = 1, clipNorm } = options;
    if (!isCount(accumulate)) throw new ArgumentError(`accumulate must be a whole number from 1 up, found ${accumulate}.`);
    if (clipNorm !== undefined && !(clipNorm > 0)) throw new ArgumentError(`clipNorm must be above 0, found ${clipNorm}.`);
    this.model = model;
    this.#options = options;
  }

  /**
   * Trains until `epochs` are done. A model without weights gets its initial ones; weights that are there stay. With `ema`, a
   * model whose run is complete has the averaged weights.
   *
   * Throws NonFiniteError, before the weights change, if a loss or gradient is NaN or infinite; FormatError if the checkpoint
   * to resume is of another run; and whatever the source, the store or a logger throws.
   */
  async fit(source: BatchSource<L>, options: FitOptions<L>): Promise<FitResult> {
    const { epochs, seed = DEFAULT_SEED, checkpoints, resume = false, checkpointEverySteps } = options;
    if (!isCount(epochs)) throw new ArgumentError(`epochs must be a whole number from 1 up, found ${epochs}.`);
    if (!isCount(source.batchesPerEpoch)) throw new ArgumentError('The data source has no batches: give it at least one sample.');
    if (checkpointEverySteps !== undefined && !isCount(checkpointEverySteps)) {
      throw new ArgumentError(`checkpointEverySteps must be a whole number from 1 up, found ${checkpointEverySteps}.`);
    }
    if (resume && !checkpoints) throw new ArgumentError('resume needs `checkpoints`, the store to resume from.');
    requireTrainingKernels();

    const {
      accumulate = 1,
      metrics = [],
      learningRates = [],
      loss = crossEntropy() as unknown as Loss<Output, L>,
    } = this.#options;
    const { model } = this;
    const rateFactor = rateFactors(model, learningRates);
    const optimizer = this.#options.optimizer.bind(model.parameters());
    const config = {
      seed,
      samples: source.size,
      batchesPerEpoch: source.batchesPerEpoch,
      accumulate,
      optimizer: optimizer.kind,
      parameters: [...model.parameters()].map(([name]) => name),
      frozen: [...model.parameters()].filter(([, { trainable }]) => !trainable).map(([name]) => name),
      learningRates: learningRates.map(({ pattern, factor }, i) => `${i + 1}: ${String(pattern)} × ${factor}`),
    };
    const progress = new Progress(config, metrics);
    let ema: Ema | undefined;
    try {
      const found = (resume ? await checkpoints?.latest() : undefined)?.checkpoint;
      if (found) {
        progress.restore(found.progress);
        loadStateDict(model, found.model);
        optimizer.load(found.optimizer);
      }
      initializeMissing(model, seed);
      ema = this.#options.ema && new Ema(model, this.#options.ema);
      if (ema && found) await ema.load(averageOf(found));
      const { validationLoss = loss, logits = outputTensor } = this.#options;
      const settings = { ...this.#options, model, optimizer, ema, loss, validationLoss, metrics, logits, accumulate, rateFactor };
      const result = await new Fit(settings, source, options, progress).run();
      if (!result.stopped) ema?.swap(); // the averages are what was validated
      return result;
    } finally {
      optimizer.dispose();
      ema?.dispose();
    }
  }
}

/** Throws FormatError where the run that is to be resumed kept no average. */
function averageOf({ average }: Checkpoint): StateDict {
  if (average) return average;
  throw new FormatError('The checkpoint has no moving average of the weights: resume without `ema`, or start a new run.');
}

/** Gives weights that have none their initial values, the same ones that `model.initialize(seed)` gives them. */
function initializeMissing(model: Module<unknown>, seed: number): void {
  const random = new Random(seed).child('init');
  for (const [name, state] of model.state()) {
    if (state.kind !== 'counter' && !state.initialized) state.initialize(random.child(name));
  }
}

/** The factor of each parameter by its name. Throws ArgumentError for a pattern that fits none. */
function rateFactors(model: Module<unknown>, rates: readonly LayerRate[]): (name: string) => number {
  const factors = new Map<string, number>();
  for (const { pattern, factor } of rates) {
    if (!(factor > 0 && factor < Infinity)) {
      throw new ArgumentError(`learningRates: the factor of ${String(pattern)} must be above 0, found ${factor}; or freeze it.`);
    }
    for (const [name] of matchingParameters(model, pattern)) if (!factors.has(name)) factors.set(name, factor);
  }
  return (name) => factors.get(name) ?? 1;
}

const isCount = (n: number): boolean => Number.isInteger(n) && n >= 1;
