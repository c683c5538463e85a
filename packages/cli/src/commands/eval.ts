import { join } from 'node:path';
import { type ConfusionReport, accuracy, confusionMatrix, evaluate } from '@convkit/core/train';
import { writeFileAtomic } from '@convkit/core/node';
import { loader } from '@convkit/datasets';
import { startBackend } from '../backend.js';
import { dataLabel, openHeldOut } from '../data.js';
import { UsageError } from '../errors.js';
import { count, decimal, percent, table } from '../format.js';
import { loadModel } from '../model.js';
import { findModel, isDetector } from '../model-packages.js';
import type { CommonOptions, ForeignWeightsOptions } from '../options.js';
import { Output } from '../output.js';
import { confusionSvg } from '../pictures/confusion.js';
import { Progress } from '../progress.js';
import { runDetectionEval } from './detection-eval.js';

export interface EvalOptions extends CommonOptions, ForeignWeightsOptions {
  weights: string;
  data: string;
  dataDir?: string;
  batchSize: number;
  limit?: number;
  /** Of detectors: least score, overlap, most objects of an image, width and height of the input. */
  conf?: number;
  iou?: number;
  maxDetections?: number;
  size?: [number, number];
  out?: string;
  mean?: [number, number, number];
  std?: [number, number, number];
}

export async function runEval(name: string, options: EvalOptions): Promise<void> {
  const asked = await findModel(name);
  if (isDetector(asked)) return runDetectionEval(name, asked, options);
  const output = new Output(options.json);
  const progress = new Progress(output);
  const data = await openHeldOut(options, progress);
  const backend = await startBackend(options.backend);
  const { model, factory, preprocessing, source, padding } = await loadModel(
    name,
    { ...options, classes: data.classes },
    progress,
  );
  if (model.classes.length !== data.classes.length) {
    throw new UsageError(
      `${options.weights} knows ${model.classes.length} classes, but ${options.data} has ${data.classes.length}`,
    );
  }
  output.print(`model          ${factory.info.name}`);
  output.print(`backend        ${backend.reason}`);
  output.print(`data           ${data.name}, ${count(data.length)} images`);
  output.print(`normalisation  ${source} (mean ${preprocessing.mean.join(', ')}; std ${preprocessing.std.join(', ')})`);
  if (padding) output.print(`padding        ${padding}`);

  const confusion = confusionMatrix(data.classes);
  const batches = loader(data, { batchSize: options.batchSize, preprocessing });
  const scores = await evaluate(model, batches, { metrics: [accuracy(), confusion], onProgress: evaluationProgress(progress) });
  progress.end();
  model.dispose();

  const report = confusion.toJSON();
  const { loss, images, imagesPerSecond, top1, top5 } = scores;
  output.print();
  output.print(classTable(report));
  output.print();
  output.print(`top-1   ${percent(top1)} (${count(Math.round(top1 * images))} of ${count(images)})`);
  if (top5 !== undefined) output.print(`top-5   ${percent(top5)}`);
  output.print(`loss    ${decimal(loss)}`);
  output.print(`speed   ${decimal(imagesPerSecond)} images/s`);
  const result = {
    model: factory.info.name,
    data: options.data,
    backend: backend.name,
    images,
    top1,
    top5,
    loss,
    imagesPerSecond,
  };
  const normalisation = { mean: preprocessing.mean, std: preprocessing.std, source };
  if (options.out !== undefined) {
    const title = `${factory.info.name} on ${dataLabel(options.data)}`;
    await writeFileAtomic(join(options.out, 'confusion.svg'), await drawConfusion(title, report, top1));
    await writeFileAtomic(
      join(options.out, 'eval.json'),
      `${JSON.stringify({ ...result, normalisation, ...report }, null, 2)}\n`,
    );
    output.print(`written ${join(options.out, 'confusion.svg')} and ${join(options.out, 'eval.json')}`);
  }
  output.result({ ...result, normalisation });
}

export function evaluationProgress(progress: Progress, label = 'evaluating'): (state: { done: number; total: number }) => void {
  const start = performance.now();
  return ({ done, total }) => {
    const rate = done / ((performance.now() - start) / 1000);
    progress.update({ label, done, total, details: [`${decimal(rate)} images/s`], secondsLeft: (total - done) / rate });
  };
}

export function drawConfusion(title: string, report: ConfusionReport, top1: number): Promise<string> {
  const images = report.perClass.reduce((sum, { images: n }) => sum + n, 0);
  return confusionSvg({
    title,
    subtitle: `top-1 ${percent(top1)} of ${count(images)} held-out images`,
    classes: report.classes,
    counts: report.counts,
  });
}

/** Precision and recall of each class; of many classes the ten that are recognised worst. */
function classTable(report: ConfusionReport): string {
  const many = report.perClass.length > 25;
  const present = report.perClass.filter(({ images }) => images > 0);
  const shown = many ? [...present].sort((a, b) => a.recall - b.recall).slice(0, 10) : present;
  const rows = shown.map((c) => [c.name, percent(c.precision, 1), percent(c.recall, 1), percent(c.f1, 1), count(c.images)]);
  return table([many ? 'class (worst ten)' : 'class', 'precision', 'recall', 'F1', 'images'], rows);
}
