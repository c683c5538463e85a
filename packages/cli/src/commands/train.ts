import { join } from 'node:path';
import { type Classifier, type StateDict, freeze, unfreeze } from '@convkit/core';
import { checkpointDirectory, csvLogger, jsonlLogger, saveWeights, tensorBoardLogger, writeFileAtomic } from '@convkit/core/node';
import { type FitResult, Trainer, accuracy, confusionMatrix, crossEntropy, evaluate } from '@convkit/core/train';
import { loader } from '@convkit/datasets';
import { startBackend } from '../backend.js';
import { dataLabel, openTraining } from '../data.js';
import { exitCode } from '../errors.js';
import { count, decimal, duration, percent } from '../format.js';
import { type ClassifierFactory, findClassifier } from '../model-packages.js';
import { weightMetadata } from '../model.js';
import { Output } from '../output.js';
import { curvesSvg } from '../pictures/curves.js';
import { Progress } from '../progress.js';
import { makeOptimizer, makeSchedule } from '../recipe.js';
import { runFiles } from '../run-folder.js';
import { type TrainOptions, type TrainPlan, planRun } from '../run-plan.js';
import { StopSignals } from '../signals.js';
import { trainingProgress } from '../training-progress.js';
import { fitBackbone, getWeights } from '../weights.js';
import { drawConfusion, evaluationProgress } from './eval.js';

/** Trains, and gives the exit code: 0, or 130 or 143 when a signal stopped the run. */
export async function runTrain(name: string | undefined, options: TrainOptions, explicit: ReadonlySet<string>): Promise<number> {
  const output = new Output(options.json);
  const progress = new Progress(output);
  const plan = await planRun(name, options, explicit, (data) => openTraining(data, progress));
  const factory = await findClassifier(plan.config.model);
  const backend = await startBackend(plan.config.backend);
  plan.config.backend = backend.name;
  const model = factory(plan.config.settings);
  try {
    return await new Run(factory, model, plan, output, progress).run(backend.reason);
  } finally {
    progress.end();
    model.dispose();
  }
}

/** Passes each message on only the first time: a store may look at the same damaged checkpoint more than once. */
function once(tell: (message: string) => void): (message: string) => void {
  const told = new Set<string>();
  return (message) => {
    if (!told.has(message)) tell(message);
    told.add(message);
  };
}

class Run {
  readonly #factory: ClassifierFactory;
  readonly #model: Classifier;
  readonly #plan: TrainPlan;
  readonly #output: Output;
  readonly #progress: Progress;
  readonly #files: ReturnType<typeof runFiles>;

  constructor(factory: ClassifierFactory, model: Classifier, plan: TrainPlan, output: Output, progress: Progress) {
    this.#factory = factory;
    this.#model = model;
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
    const { seed, weights, rename } = this.#plan.config;
    if (weights === null) {
      this.#model.initialize(seed);
      return;
    }
    const { info } = this.#factory;
    const found = await getWeights(this.#factory, { weights, rename: rename ?? [] }, this.#progress);
    const fresh = fitBackbone(this.#model, found, info, seed);
    if (fresh.length > 0) this.#output.note(`new for these classes: ${fresh.join(', ')}; all else from ${weights}`);
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
    this.#output.note(`model     ${config.model}, ${count(parameters)} parameters`);
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
    const { config, data, resume } = this.#plan;
    const { recipe, settings, seed, checkpointEvery } = config;
    const { batchSize, labelSmoothing, accumulate, clipNorm } = recipe;
    const { preprocessing } = settings;
    const augment = recipe.augment ? data.augmentation : undefined;
    const dropLast = data.train.length >= batchSize;
    const train = loader(data.train, { batchSize, preprocessing, augment, shuffle: true, dropLast });
    const trainer = new Trainer(this.#model, {
      optimizer: makeOptimizer(recipe),
      schedule: makeSchedule(recipe),
      loss: crossEntropy({ labelSmoothing }),
      validationLoss: crossEntropy(),
      metrics: [accuracy()],
      accumulate,
      ...(clipNorm === null ? {} : { clipNorm }),
    });
    const { metrics, steps, tensorboard } = this.#files;
    return trainer.fit(train, {
      epochs: recipe.epochs,
      validation: loader(data.validation, { batchSize, preprocessing }),
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
    const { config, data } = this.#plan;
    const { settings, recipe } = config;
    const metadata = { ...weightMetadata(this.#factory, settings), data: dataLabel(config.data.name) };
    const save = (path: string, weights: Classifier | StateDict, epoch: number): Promise<void> =>
      saveWeights(path, weights, { metadata: { ...metadata, epoch: String(epoch) }, preprocessing: settings.preprocessing });
    await save(this.#files.weights, this.#model, result.epochs);
    const best = result.best && result.best.epoch < result.epochs ? await store.best() : undefined;
    if (best && result.best) await save(this.#files.best, best.checkpoint.model, result.best.epoch);

    const confusion = confusionMatrix(settings.classes);
    const source = loader(data.validation, { batchSize: recipe.batchSize, preprocessing: settings.preprocessing });
    const scores = await evaluate(this.#model, source, {
      metrics: [accuracy(), confusion],
      onProgress: evaluationProgress(this.#progress),
    });
    this.#progress.end();
    const title = `${config.model} on ${dataLabel(config.data.name)}`;
    await writeFileAtomic(
      this.#files.curves,
      await curvesSvg(`${config.model} on ${dataLabel(config.data.name)}`, result.history),
    );
    await writeFileAtomic(this.#files.confusion, await drawConfusion(title, confusion.toJSON(), scores.top1));
    this.#report(result, scores.top1, best !== undefined);
    const { loss, top1, top5 } = scores;
    const validation = { loss, top1, ...(top5 === undefined ? {} : { top5 }) };
    this.#output.result({ ...this.#summary(result), validation, weights: this.#files.weights, stopped: false });
  }

  #report(result: FitResult, top1: number, best: boolean): void {
    const { config, folder } = this.#plan;
    const out = this.#output;
    out.print(
      `\n${result.epochs} epochs, ${count(result.steps)} steps, ${duration(result.seconds)}. Held-out top-1: ${percent(top1)}`,
    );
    out.print(`\n${folder}/`);
    out.print('  model.safetensors     the weights, with class names and normalisation');
    if (best && result.best) {
      out.print(
        `  best.safetensors      those of epoch ${result.best.epoch} (held-out ${result.best.metric} ${decimal(result.best.value)})`,
      );
    }
    out.print('  curves.svg            loss, accuracy and learning rate of each epoch');
    out.print('  confusion.svg         true against predicted classes of the held-out images');
    out.print('  metrics.csv           a row for each epoch; steps.jsonl: a line for each step');
    out.print(`  tensorboard/          tensorboard --logdir ${join(folder, 'tensorboard')}`);
    out.print('  checkpoints/          what --resume goes on from');
    out.print('\nNext:');
    const dataDir = config.data.dir === null ? '' : ` --data-dir ${config.data.dir}`;
    out.print(`  convkit eval ${config.model} --weights ${this.#files.weights} --data ${config.data.name}${dataDir}`);
    out.print(`  convkit classify ${config.model} IMAGE... --weights ${this.#files.weights}`);
  }

  #summary(result: FitResult): Record<string, unknown> {
    const { config, folder } = this.#plan;
    const last = result.history.at(-1);
    return {
      model: config.model,
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
