import type { Module } from '../module.js';
import { Random } from '../random.js';
import { stateDict } from '../weights/state-dict.js';
import { BatchStream } from './batch-stream.js';
import type { BatchSource } from './batch.js';
import { evaluate } from './evaluate.js';
import { now, yieldToEventLoop } from './event-loop.js';
import type { Logger } from './logger.js';
import type { Loss } from './losses.js';
import { NonFiniteError } from './non-finite.js';
import type { Progress } from './progress.js';
import type { Schedule } from './schedules.js';
import { type StepSetup, trainStep } from './train-step.js';
import type { FitOptions, FitResult } from './trainer.js';

interface FitSettings<Output> extends StepSetup<Output> {
  readonly model: Module<Output>;
  readonly schedule: Schedule;
  readonly validationLoss: Loss<Output>;
  readonly accumulate: number;
}

/** One call of `Trainer.fit`: the loop over epochs, steps, validations and checkpoints. */
export class Fit<Output> {
  readonly #setup: FitSettings<Output>;
  readonly #source: BatchSource;
  readonly #options: FitOptions;
  readonly #progress: Progress;
  readonly #stepsPerEpoch: number;
  readonly #totalSteps: number;
  readonly #dropout: Random;
  #saved: string | undefined;

  constructor(setup: FitSettings<Output>, source: BatchSource, options: FitOptions, progress: Progress) {
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

  async #step(stream: BatchStream): Promise<void> {
    const progress = this.#progress;
    const started = now();
    const learningRate = this.#rate(progress.step);
    const firstBatch = progress.epoch * this.#source.batchesPerEpoch + progress.batches;
    const plan = {
      step: progress.step + 1,
      learningRate,
      context: (batch: number) => ({ training: true, random: this.#dropout.child(firstBatch + batch) }),
    };
    const { loss, images, gradientNorm, batches } = await trainStep(this.#setup, plan, stream.take(this.#setup.accumulate));
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
      learningRate: this.#rate(progress.step - 1),
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

  async #validate(source: BatchSource): Promise<Record<string, number> | 'stopped'> {
    const { model, validationLoss, logits } = this.#setup;
    const metrics = this.#progress.metrics.map((metric) => metric.fresh());
    const { signal } = this.#options;
    const epoch = this.#progress.epoch + 1;
    const onProgress = ({ done, total }: { done: number; total: number }) =>
      this.#tell((logger) => logger.validation?.({ epoch, done, total }));
    try {
      const { loss } = await evaluate(model, source, { loss: validationLoss, metrics, logits, signal, onProgress });
      return Object.assign({ loss }, ...metrics.map((metric) => metric.result())) as Record<string, number>;
    } catch (error) {
      if (signal?.aborted && error === signal.reason) return 'stopped';
      throw error;
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
    const checkpoint = { model, optimizer: await this.#setup.optimizer.state(), progress: this.#progress.toJSON() };
    if (best) await checkpoints.saveBest?.(name, checkpoint); // first: whoever knows of a best epoch finds its weights
    await checkpoints.save(name, checkpoint);
    this.#saved = name;
  }

  #rate(step: number): number {
    return this.#setup.schedule({ step, stepsPerEpoch: this.#stepsPerEpoch, totalSteps: this.#totalSteps });
  }

  async #tell(message: (logger: Logger) => void | Promise<void>): Promise<void> {
    for (const logger of this.#options.loggers ?? []) await message(logger);
  }
}
