import { join } from 'node:path';
import { type Classifier, Random, inputSize, predict, summarize } from '@convkit/core';
import { writeFileAtomic } from '@convkit/core/node';
import { accuracy, evaluate } from '@convkit/core/train';
import { type Dataset, loader } from '@convkit/datasets';
import { type Tensor, tensor4d } from '@tensorflow/tfjs-core';
import { startBackend } from '../backend.js';
import { dataLabel, openHeldOut } from '../data.js';
import { UsageError } from '../errors.js';
import { count, decimal, mebibytes, percent, scaled, table } from '../format.js';
import { type ClassifierFactory, findClassifier } from '../model-packages.js';
import { loadModel } from '../model.js';
import type { CommonOptions, ForeignWeightsOptions } from '../options.js';
import { Output } from '../output.js';
import { tradeoffsSvg } from '../pictures/tradeoffs.js';
import { Progress } from '../progress.js';
import { evaluationProgress } from './eval.js';

export interface CompareOptions extends CommonOptions, ForeignWeightsOptions {
  weights?: string[];
  data?: string;
  dataDir?: string;
  limit?: number;
  runs: number;
  classes?: number;
  out?: string;
  mean?: [number, number, number];
  std?: [number, number, number];
}

/** What one model costs, and what it achieves if it has weights. */
export interface Compared {
  model: string;
  package: string;
  input: [height: number, width: number];
  parameters: number;
  /** Multiply-adds of an image. */
  macs: number;
  weightBytes: number;
  /** Tensors alive at once besides the weights, for one image. */
  peakBytes: number;
  /** Median milliseconds of a forward pass of 1 and of 32 images. */
  latencyMs: { batch1: number; batch32: number };
  top1?: number;
  top5?: number;
}

const BATCHES = [1, 32] as const;
const EVALUATION_BATCH = 64;
const WARM_UP = 3;

export async function runCompare(names: readonly string[], options: CompareOptions): Promise<void> {
  const output = new Output(options.json);
  checkOptions(names, options);
  for (const name of names) await findClassifier(name); // a misspelt name shows before the work begins
  const progress = new Progress(output);
  const data = options.data === undefined ? undefined : await openHeldOut({ ...options, data: options.data }, progress);
  const backend = await startBackend(options.backend);
  output.print(`backend  ${backend.reason}`);
  if (data) output.print(`data     ${data.name}, ${count(data.length)} images`);
  const rows: Compared[] = [];
  try {
    for (const [i, name] of names.entries()) rows.push(await measure(name, options.weights?.[i], data, options, progress));
  } finally {
    progress.end();
  }
  output.print(`\n${comparisonTable(rows)}`);
  output.print(`\nlatency: median of ${options.runs} passes; memory: weights, and the tensors alive at once for one image`);
  const result = { backend: backend.name, data: options.data, images: data?.length, runs: options.runs, models: rows };
  if (options.out !== undefined) {
    const title = data ? `Trade-offs on ${dataLabel(options.data ?? '')}` : 'What the models cost';
    await writeFileAtomic(join(options.out, 'compare.svg'), await tradeoffsSvg(title, backend.name, rows));
    await writeFileAtomic(join(options.out, 'compare.json'), `${JSON.stringify(result, null, 2)}\n`);
    output.print(`written ${join(options.out, 'compare.svg')} and ${join(options.out, 'compare.json')}`);
  }
  output.result(result);
}

function checkOptions(names: readonly string[], { weights, data }: CompareOptions): void {
  if (weights && weights.length !== names.length) {
    throw new UsageError(`--weights takes one file for each model: ${names.length} models, ${weights.length} files`);
  }
  if (weights && data === undefined) throw new UsageError('--weights needs --data, on which the models are compared');
  if (data !== undefined && !weights) throw new UsageError('--data needs --weights: a model without weights has no accuracy');
}

async function measure(
  name: string,
  weights: string | undefined,
  data: Dataset | undefined,
  options: CompareOptions,
  progress: Progress,
): Promise<Compared> {
  const factory = await findClassifier(name);
  const model = weights === undefined ? untrained(factory, options) : await trained(name, weights, data, options);
  try {
    const input = inputSize(model.preprocessing);
    const { parameters, macs, weightBytes, peakBytes } = summarize(model, input);
    const figures = { model: factory.info.name, package: factory.info.package, input, parameters, macs, weightBytes, peakBytes };
    const [batch1, batch32] = await latencies(model, input, options.runs, (done, total) =>
      progress.update({ label: `timing ${name}`, done, total, details: [] }),
    );
    const latencyMs = { batch1, batch32 };
    if (!data || weights === undefined) return { ...figures, latencyMs };
    const batches = loader(data, { batchSize: EVALUATION_BATCH, preprocessing: model.preprocessing });
    const onProgress = evaluationProgress(progress, `evaluating ${name}`);
    const { top1, top5 } = await evaluate(model, batches, { metrics: [accuracy()], onProgress });
    return { ...figures, latencyMs, top1, ...(top5 === undefined ? {} : { top5 }) };
  } finally {
    model.dispose();
  }
}

function untrained(factory: ClassifierFactory, { classes, seed }: CompareOptions): Classifier {
  return factory(classes === undefined ? {} : { numClasses: classes }).initialize(seed);
}

async function trained(name: string, weights: string, data: Dataset | undefined, options: CompareOptions): Promise<Classifier> {
  const { model } = await loadModel(name, { ...options, weights, classes: data?.classes });
  if (data && model.classes.length !== data.classes.length) {
    const message = `${weights} knows ${model.classes.length} classes, but ${options.data} has ${data.classes.length}`;
    model.dispose();
    throw new UsageError(message);
  }
  return model;
}

/** Median milliseconds for each of `BATCHES`, of `runs` passes after a few that warm up. */
async function latencies(
  model: Classifier,
  [height, width]: readonly [number, number],
  runs: number,
  onProgress: (done: number, total: number) => void,
): Promise<number[]> {
  const random = new Random(0);
  const medians: number[] = [];
  for (const [b, batch] of BATCHES.entries()) {
    const values = Float32Array.from({ length: batch * height * width * 3 }, () => random.uniform(-1, 1));
    const x = tensor4d(values, [batch, height, width, 3]);
    const times: number[] = [];
    try {
      for (let run = 0; run < WARM_UP + runs; run++) {
        times.push(await timePass(model, x));
        onProgress(b * (WARM_UP + runs) + run + 1, BATCHES.length * (WARM_UP + runs));
      }
    } finally {
      x.dispose();
    }
    medians.push(median(times.slice(WARM_UP)));
  }
  return medians;
}

/** Reading the result waits until the device has computed it. */
async function timePass(model: Classifier, x: Tensor): Promise<number> {
  const start = performance.now();
  const y = predict(model, x);
  await y.data();
  const time = performance.now() - start;
  y.dispose();
  return time;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function comparisonTable(rows: readonly Compared[]): string {
  const judged = rows.some(({ top1 }) => top1 !== undefined);
  const accuracies = judged ? ['top-1', 'top-5'] : [];
  const header = ['model', ...accuracies, 'parameters', 'multiply-adds', 'input', 'ms, 1 image', 'ms, 32 images', 'memory'];
  const share = (value: number | undefined): string => (value === undefined ? '–' : percent(value));
  return table(
    header,
    rows.map((row) => [
      row.model,
      ...(judged ? [share(row.top1), share(row.top5)] : []),
      count(row.parameters),
      scaled(row.macs),
      row.input.join('×'),
      decimal(row.latencyMs.batch1),
      decimal(row.latencyMs.batch32),
      mebibytes(row.weightBytes + row.peakBytes),
    ]),
  );
}
