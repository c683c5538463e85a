import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClassModel, type StateDict, freeze, modelMetadata, unfreeze, weightsOptions } from '@convkit/core';
import { checkpointDirectory, csvLogger, jsonlLogger, saveWeights, tensorBoardLogger, writeFileAtomic } from '@convkit/core/node';
import type { FitResult } from '@convkit/core/train';
import { startBackend } from '../backend.js';
import { dataLabel, openTraining } from '../data.js';
import { openDetectionTraining } from '../detection-training.js';
import { exitCode } from '../errors.js';
import { count, decimal, duration } from '../format.js';
import { type AnyModelFactory, findModel, isDetector } from '../model-packages.js';
import { type ModelSettings } from '../model.js';
import { choosePreprocessing } from '../normalisation.js';
import { Output } from '../output.js';
import { curvesSvg } from '../pictures/curves.js';
import { Progress } from '../progress.js';
import { runFiles } from '../run-folder.js';
import { type TrainOptions, type TrainPlan, planRun } from '../run-plan.js';
import { StopSignals } from '../signals.js';
import type { JobReport, TrainingJob } from '../training-job.js';
import { trainingProgress } from '../training-progress.js';
import { type NamedWeights, fitBackbone, getWeights } from '../weights.js';
import { classifierJob } from './train-classifier.js';
import { detectorJob } from './train-detector.js';

/** Trains, and gives the exit code: 0, or 130 or 143 when a signal stopped the run. */
export async function runTrain(name: string | undefined, options: TrainOptions, explicit: ReadonlySet<string>): Promise<number> {
  const output = new Output(options.json);
  const progress = new Progress(output);
  const plan = await planRun(name, options, explicit, (data, { info }) =>
    info.task === undefined || info.task === 'classify'
      ? openTraining(data, progress)
      : openDetectionTraining(data, info.task, progress),
  );
  const factory = await findModel(plan.config.model);
  const backend = await startBackend(plan.config.backend);
  plan.config.backend = backend.name;
  const opening = openStart(factory, plan, progress);
  if (!plan.resume) plan.config.settings = await settingsFor(factory, plan.config.settings, opening);
  const model = factory(plan.config.settings);
  try {
    const job = isDetector(factory) ? detectorJob(model, plan, progress) : classifierJob(model, plan, progress);
    return await new Run(factory, model, job, plan, output, progress, opening).run(backend.reason);
  } finally {
    progress.end();
    model.dispose();
  }
}

/** Gives the weights that a run starts from, which are read when it first asks for them; undefined: it starts from none. */
type OpenWeights = (() => Promise<NamedWeights>) | undefined;

function openStart(factory: AnyModelFactory, { config }: TrainPlan, progress: Progress): OpenWeights {
  const { weights, rename = [], settings } = config;
  if (weights === null) return undefined;
  let opened: Promise<NamedWeights> | undefined;
  return () => (opened ??= getWeights(factory, { weights, rename, padding: settings.padding }, progress));
}

/** The settings with what the weights need: options of the net and colours. Weights that cannot be read are reported when they are loaded. */
async function settingsFor({ info }: AnyModelFactory, settings: ModelSettings, open: OpenWeights): Promise<ModelSettings> {
  const weights = await open?.().catch(() => undefined);
  if (!weights) return settings;
  const { mean, std } = choosePreprocessing(info, weights, {}).preprocessing;
  return { ...settings, ...weightsOptions(weights, info), preprocessing: { ...settings.preprocessing, mean, std } };
}

/** Passes each message on only the first time: a store may look at the same damaged checkpoint more than once. */
function once(tell: (message: string) => void): (message: string) => void {
  const told = new Set<string>();
  return (message) => {
    if (!told.has(message)) tell(message);
    told.add(message);
  };
}

/** What all runs have in common: weights to start from, the run folder, signals, the report. */
class Run {
  readonly #factory: AnyModelFactory;
  readonly #model: ClassModel;
  readonly #job: TrainingJob;
  readonly #plan: TrainPlan;
  readonly #output: Output;
  readonly #progress: Progress;
  readonly #files: ReturnType<typeof runFiles>;
  readonly #open: OpenWeights;

  constructor(
    factory: AnyModelFactory,
    model: ClassModel,
    job: TrainingJob,
    plan: TrainPlan,
    output: Output,
    progress: Progress,
    open: OpenWeights,
  ) {
    this.#open = open;
    this.#factory = factory;
    this.#model = model;
    this.#job = job;
    this.#plan = plan;
    this.#output = output;
    this.#progress = progress;
    this.#files = runFiles(plan.folder);
  }

  async run(backend: string): Promise<number> {
    const { config, folder, resume } = this.#plan;
    const store = checkpointDirectory(this.#files.checkpoints, { onDamaged: once((message) => this.#output.warn(message)) });
    const started = resume && (await store.latest()) !== undefined;
    if (!started) await this.#startWeights();
    if (!resume) await writeFileAtomic(this.#files.config, `${JSON.stringify(config, null, 2)}\n`);
    this.#freeze();
    this.#describe(backend);

    const stop = new StopSignals(() => this.#output.note('Stopping after this step; once more to exit at once.'));
    let result: FitResult;
    try {
      result = await this.#fit(store, stop.signal);
    } finally {
      stop.release();
    }
    if (result.stopped) {
      this.#output.note(`Stopped after step ${result.steps}; saved in ${join(this.#files.checkpoints, result.checkpoint ?? '')}`);
      this.#output.note(`Go on with: convkit train --resume --out ${folder}`);
      this.#output.result({ ...this.#summary(result), stopped: true });
      return stop.exitCode ?? exitCode.interrupted;
    }
    await this.#finish(result, store);
    return exitCode.ok;
  }

  async #startWeights(): Promise<void> {
    const { seed, weights } = this.#plan.config;
    if (weights === null || !this.#open) {
      this.#model.initialize(seed);
      return;
    }
    const { info } = this.#factory;
    let found: NamedWeights;
    try {
      found = await this.#open();
    } catch (error) {
      const layers = await this.#firstLayers(weights, seed);
      if (layers === undefined) throw error;
      this.#output.note(`weights   ${weights} has the first ${layers} layers; the others start anew`);
      return;
    }
    const fresh = fitBackbone(this.#model, found, info, seed);
    if (fresh.length > 0) this.#output.note(`new for these classes: ${shortened(fresh)}; all else from ${weights}`);
  }

  /** Loads a file of the first layers only, where the net's family has such files; gives their number, or undefined. */
  async #firstLayers(path: string, seed: number): Promise<number | undefined> {
    const model = this.#model as ClassModel & { loadBackbone?(bytes: Uint8Array, name: string): { layers: number } };
    if (!model.loadBackbone || !existsSync(path)) return undefined;
    this.#model.initialize(seed);
    try {
      return model.loadBackbone(await readFile(path), path).layers;
    } catch {
      return undefined; // what was wrong at first is told
    }
  }

  #freeze(): void {
    const pattern = this.#plan.config.freeze;
    if (!pattern) return;
    freeze(this.#model, pattern === 'backbone' ? /(?:)/ : new RegExp(pattern));
    if (pattern === 'backbone') for (const head of this.#model.heads) unfreeze(this.#model, head);
    const sizes = [...this.#model.parameters()].filter(([, { trainable }]) => trainable).map(([, { size }]) => size);
    this.#output.note(`frozen    ${pattern}: ${count(sizes.reduce((sum, size) => sum + size, 0))} parameters are left to train`);
  }

  #describe(backend: string): void {
    const { config, folder, resume } = this.#plan;
    const { recipe, data } = config;
    const parameters = [...this.#model.parameters()].reduce((sum, [, parameter]) => sum + parameter.size, 0);
    this.#output.note(`model     ${this.#factory.info.name}, ${count(parameters)} parameters`);
    this.#output.note(`backend   ${backend}`);
    this.#output.note(
      `data      ${data.name}: ${count(data.trainImages)} images to train on, ${count(data.validationImages)} held out`,
    );
    const { optimizer, lr, schedule, momentum, weightDecay } = recipe;
    const settings = [
      `lr ${lr}`,
      ...(/adam/.test(optimizer) ? [] : [`momentum ${momentum}`]),
      `weight decay ${weightDecay}`,
      schedule,
    ];
    this.#output.note(
      `recipe    ${recipe.epochs} epochs, batch ${recipe.batchSize}, ${optimizer}, ${settings.join(', ')}; seed ${config.seed}`,
    );
    this.#output.note(`run       ${folder}${resume ? ' (resumed)' : ''}`);
  }

  #fit(store: ReturnType<typeof checkpointDirectory>, signal: AbortSignal): Promise<FitResult> {
    const { config, resume } = this.#plan;
    const { recipe, seed, checkpointEvery } = config;
    const { metrics, steps, tensorboard } = this.#files;
    return this.#job.fit({
      epochs: recipe.epochs,
      checkpoints: store,
      ...(checkpointEvery === null ? {} : { checkpointEverySteps: checkpointEvery }),
      resume,
      seed,
      signal,
      loggers: [
        csvLogger(metrics),
        jsonlLogger(steps),
        tensorBoardLogger(tensorboard),
        trainingProgress(this.#output, this.#progress),
      ],
    });
  }

  /** Writes what a finished run leaves: weights, pictures. */
  async #finish(result: FitResult, store: ReturnType<typeof checkpointDirectory>): Promise<void> {
    const { config } = this.#plan;
    const { settings } = config;
    const metadata = { ...modelMetadata(this.#model), data: dataLabel(config.data.name) };
    const save = (path: string, weights: ClassModel | StateDict, epoch: number): Promise<void> =>
      saveWeights(path, weights, { metadata: { ...metadata, epoch: String(epoch) }, preprocessing: settings.preprocessing });
    await save(this.#files.weights, this.#model, result.epochs);
    const best = result.best && result.best.epoch < result.epochs ? await store.best() : undefined;
    if (best && result.best) await save(this.#files.best, this.#job.weightsOf(best.checkpoint), result.best.epoch);

    const report = await this.#job.finish(result);
    this.#progress.end();
    await writeFileAtomic(
      this.#files.curves,
      await curvesSvg(`${this.#factory.info.name} on ${dataLabel(config.data.name)}`, result.history),
    );
    this.#report(result, report, best !== undefined);
    const { validation } = report;
    this.#output.result({ ...this.#summary(result), validation, weights: this.#files.weights, stopped: false });
  }

  #report(result: FitResult, { headline, files, next }: JobReport, best: boolean): void {
    const { folder } = this.#plan;
    const out = this.#output;
    out.print(`\n${result.epochs} epochs, ${count(result.steps)} steps, ${duration(result.seconds)}. ${headline}`);
    out.print(`\n${folder}/`);
    const line = (name: string, meaning: string): void => out.print(`  ${name.padEnd(21)} ${meaning}`);
    line('model.safetensors', 'the weights, with class names and normalisation');
    if (best && result.best) {
      line(
        'best.safetensors',
        `those of epoch ${result.best.epoch} (held-out ${result.best.metric} ${decimal(result.best.value)})`,
      );
    }
    for (const [name, meaning] of files) line(name, meaning);
    line('metrics.csv', 'a row for each epoch; steps.jsonl: a line for each step');
    line('tensorboard/', `tensorboard --logdir ${join(folder, 'tensorboard')}`);
    line('checkpoints/', 'what --resume goes on from');
    out.print('\nNext:');
    for (const command of next) out.print(`  ${command}`);
  }

  #summary(result: FitResult): Record<string, unknown> {
    const { config, folder } = this.#plan;
    const last = result.history.at(-1);
    return {
      model: this.#factory.info.name,
      data: config.data.name,
      backend: config.backend,
      out: folder,
      epochs: result.epochs,
      steps: result.steps,
      loss: last?.train.loss,
      top1: last?.train.top1,
      validation: last?.validation,
      best: result.best,
      checkpoint: result.checkpoint === undefined ? undefined : join(this.#files.checkpoints, result.checkpoint),
      seconds: result.seconds,
    };
  }
}

const shortened = (names: readonly string[]): string =>
  names.length <= 4 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
