import type { Metric } from '../metrics/metric.js';
import type { Module } from '../module.js';
import { Random } from '../random.js';
import { stateDict } from '../weights/state-dict.js';
import { BatchStream } from './batch-stream.js';
import type { BatchSource, Labels } from './batch.js';
import { evaluate } from './evaluate.js';
import { now, yieldToEventLoop } from './event-loop.js';
import type { Logger } from './logger.js';
import type { Loss } from './losses.js';
import { NonFiniteError } from './non-finite.js';
import type { Progress } from './progress.js';
import type { Schedule } from './schedules.js';
import { type StepSetup, trainStep } from './train-step.js';
import type { LogitsOf } from './tensors.js';
import type { FitOptions, FitResult } from './trainer.js';

/** Gives the figures of the model as it stands; tells how far it has come, and throws the signal's reason when aborted. */
export type Validation = (options: {
  readonly signal?: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => Promise<void>;
}) => Promise<Record<string, number>>;

interface FitSettings<Output, L extends Labels> extends StepSetup<Output, L> {
  readonly model: Module<Output>;
  readonly schedule: Schedule;
  readonly biasSchedule?: Schedule;
  readonly momentumSchedule?: Schedule;
  /** The part of the rate that a parameter takes. */
  readonly rateFactor: (name: string) => number;
  readonly validationLoss: Loss<Output, L>;
  readonly metrics: readonly Metric<L>[];
  readonly logits: LogitsOf<Output>;
  readonly accumulate: number;
}

/** One call of `Trainer.fit`: the loop over epochs, steps, validations and checkpoints. */
export class Fit<Output, L extends Labels> {
  readonly #setup: FitSettings<Output, L>;
  readonly #source: BatchSource<L>;
  readonly #options: FitOptions<L>;
  readonly #progress: Progress<L>;
  readonly #stepsPerEpoch: number;
  readonly #totalSteps: number;
  readonly #dropout: Random;
  #saved: string | undefined;

  constructor(setup: FitSettings<Output, L>, source: BatchSource<L>, options: FitOptions<L>, progress: Progress<L>) {
    this.#setup = setup;
    this.#source = source;
    this.#options = options;
    this.#progress = progress;
    this.#stepsPerEpoch = Math.ceil(source.batchesPerEpoch / setup.accumulate);
    this.#totalSteps = this.#stepsPerEpoch * options.epochs;
    this.#dropout = new Random(progress.config.seed).child('dropout');
  }

  async run(): Promise<FitResult> {
    let result: FitResult;
    try {
      result = await this.#run();
    } catch (error) {
      await this.#tell((logger) => logger.end?.()).catch(() => undefined); // the first error is the one to report
      throw error;
    }
    await this.#tell((logger) => logger.end?.());
    return result;
  }

  async #run(): Promise<FitResult> {
    const progress = this.#progress;
    const { epochs } = this.#options;
    const started = now();
    const { epoch, step } = progress;
    const history = [...progress.history];
    const info = { epochs, stepsPerEpoch: this.#stepsPerEpoch, totalSteps: this.#totalSteps, resumed: { epoch, step }, history };
    await this.#tell((logger) => logger.start?.(info));
    let stopped = false;
    while (progress.epoch < epochs && !stopped) stopped = !((await this.#trainEpoch()) && (await this.#closeEpoch()));
    if (stopped) await this.#save();
    return {
      epochs: progress.epoch,
      steps: progress.step,
      stopped,
      best: progress.best,
      history: [...progress.history],
      checkpoint: this.#saved,
      seconds: (now() - started) / 1000,
    };
  }

  /** Takes the steps that are left of the epoch; false if the run was stopped before its end. */
  async #trainEpoch(): Promise<boolean> {
    const progress = this.#progress;
    const { signal, checkpointEverySteps = Infinity } = this.#options;
    const { batchesPerEpoch } = this.#source;
    if (progress.batches === batchesPerEpoch) return true;
    const order = { epoch: progress.epoch, seed: progress.config.seed, start: progress.batches };
    const stream = new BatchStream(this.#source.epoch(order), progress.batches, batchesPerEpoch);
    try {
      while (progress.batches < batchesPerEpoch) {
        if (signal?.aborted) return false;
        await this.#step(stream);
        if (progress.step % checkpointEverySteps === 0 && progress.batches < batchesPerEpoch) await this.#save();
        await yieldToEventLoop();
      }
      return true;
    } finally {
      await stream.close();
    }
  }

  async #step(stream: BatchStream<L>): Promise<void> {
    const progress = this.#progress;
    const started = now();
    const { momentumSchedule, rateFactor, metrics } = this.#setup;
    const learningRate = this.#at(this.#setup.schedule, progress.step);
    const biasRate = this.#at(this.#setup.biasSchedule ?? this.#setup.schedule, progress.step);
    const firstBatch = progress.epoch * this.#source.batchesPerEpoch + progress.batches;
    const plan = {
      step: progress.step + 1,
      learningRate,
      rateOf: (name: string) => (name.endsWith('.bias') ? biasRate : learningRate) * rateFactor(name),
      momentum: momentumSchedule && this.#at(momentumSchedule, progress.step),
      context: (batch: number) => ({ training: true, random: this.#dropout.child(firstBatch + batch) }),
    };
    const setup = metrics.length > 0 ? this.#setup : { ...this.#setup, logits: undefined };
    const { loss, images, gradientNorm, batches } = await trainStep(setup, plan, stream.take(this.#setup.accumulate));
    for (const batch of batches) for (const metric of progress.metrics) metric.update(batch);
    progress.loss.add(loss, images);
    progress.batches = stream.taken;
    progress.step++;
    const seconds = (now() - started) / 1000;
    progress.seconds += seconds;
    const record = {
      epoch: progress.epoch + 1,
      step: progress.step,
      stepInEpoch: Math.ceil(progress.batches / this.#setup.accumulate),
      stepsPerEpoch: this.#stepsPerEpoch,
      totalSteps: this.#totalSteps,
      loss,
      learningRate,
      gradientNorm,
      metrics: progress.figures(),
      images,
      imagesPerSecond: images / seconds,
      waitMs: stream.takeWaitMs(),
    };
    await this.#tell((logger) => logger.step?.(record));
  }

  /** Validates, records and saves a finished epoch; false if the run was stopped during the validation. */
  async #closeEpoch(): Promise<boolean> {
    const progress = this.#progress;
    const validation = this.#options.validation && (await this.#validate(this.#options.validation));
    if (validation === 'stopped') return false;
    const { loss, seconds } = progress;
    const record = {
      epoch: progress.epoch + 1,
      steps: progress.step,
      learningRate: this.#at(this.#setup.schedule, progress.step - 1),
      train: { loss: loss.value, ...progress.figures() },
      validation,
      seconds,
      imagesPerSecond: loss.weight / seconds,
    };
    progress.history.push(record);
    const best = validation !== undefined && progress.isBest(validation);
    progress.nextEpoch();
    await this.#tell((logger) => logger.epoch?.(record)); // before the save: a resumed run drops what was logged past it
    await this.#save(best);
    return true;
  }

  /** The figures of the model, or of its moving average if there is one. */
  async #validate(validation: BatchSource<L> | Validation): Promise<Record<string, number> | 'stopped'> {
    const { model, validationLoss, logits, ema } = this.#setup;
    const metrics = this.#setup.metrics.map((metric) => metric.fresh());
    const { signal } = this.#options;
    const epoch = this.#progress.epoch + 1;
    const onProgress = ({ done, total }: { done: number; total: number }) =>
      this.#tell((logger) => logger.validation?.({ epoch, done, total }));
    ema?.swap();
    try {
      if (typeof validation === 'function') return await validation({ signal, onProgress });
      const { loss } = await evaluate(model, validation, { loss: validationLoss, metrics, logits, signal, onProgress });
      return Object.assign({ loss }, ...metrics.map((metric) => metric.result())) as Record<string, number>;
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return 'stopped';
      throw error;
    } finally {
      ema?.swap();
    }
  }

  /** Saves where the run stands, unless that is saved already. Weights that are not finite are never saved. */
  async #save(best = false): Promise<void> {
    const { checkpoints } = this.#options;
    const { name, step } = this.#progress;
    if (!checkpoints || name === this.#saved) return;
    const model = await stateDict(this.#setup.model);
    for (const [weight, { data }] of model) {
      if (data instanceof Float32Array && !data.every(Number.isFinite)) {
        throw new NonFiniteError(step + 1, 'the weights cannot be saved', `the weight ${weight}`);
      }
    }
    const { optimizer, ema } = this.#setup;
    const average = ema && (await ema.state());
    const checkpoint = { model, optimizer: await optimizer.state(), average, progress: this.#progress.toJSON() };
    if (best) await checkpoints.saveBest?.(name, checkpoint); // first: whoever knows of a best epoch finds its weights
    await checkpoints.save(name, checkpoint);
    this.#saved = name;
  }

  #at(schedule: Schedule, step: number): number {
    return schedule({ step, stepsPerEpoch: this.#stepsPerEpoch, totalSteps: this.#totalSteps });
  }

  async #tell(message: (logger: Logger) => void | Promise<void>): Promise<void> {
    for (const logger of this.#options.loggers ?? []) await message(logger);
  }
}
