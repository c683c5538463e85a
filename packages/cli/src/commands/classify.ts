import { type Image, type Prediction } from '@convkit/core';
import { readImage } from '@convkit/core/node';
import { startBackend } from '../backend.js';
import { percent, table } from '../format.js';
import { findImages } from '../images.js';
import { loadModel } from '../model.js';
import type { CommonOptions, ForeignWeightsOptions } from '../options.js';
import { Output } from '../output.js';
import { Progress } from '../progress.js';

export interface ClassifyOptions extends CommonOptions, ForeignWeightsOptions {
  weights?: string;
  topk: number;
  mean?: [number, number, number];
  std?: [number, number, number];
}

/** Images that go through the net at once. */
const BATCH = 16;

export async function runClassify(name: string, paths: readonly string[], options: ClassifyOptions): Promise<void> {
  const output = new Output(options.json);
  const files = findImages(paths);
  const backend = await startBackend(options.backend);
  const progress = new Progress(output);
  const { model, factory, source, padding, weights } = await loadModel(name, options, progress);
  output.print(`model          ${factory.info.name}`);
  output.print(`weights        ${weights.source}`);
  output.print(`backend        ${backend.reason}`);
  output.print(`normalisation  ${source}`);
  if (padding) output.print(`padding        ${padding}`);

  const images: { path: string; predictions: Prediction[] }[] = [];
  try {
    for (let start = 0; start < files.length; start += BATCH) {
      const batch = files.slice(start, start + BATCH);
      const pictures: Image[] = [];
      for (const path of batch) pictures.push(await readImage(path));
      const predictions = await model.classifyAll(pictures, { topk: options.topk });
      batch.forEach((path, i) => images.push({ path, predictions: predictions[i] }));
      progress.update({ label: 'classifying', done: images.length, total: files.length, details: [] });
    }
  } finally {
    progress.end();
    model.dispose();
  }
  printPredictions(output, images, options.topk);
  output.result({ model: factory.info.name, backend: backend.name, images });
}

/** Up to this many predictions have place beside the picture's name. */
const MOST_IN_A_ROW = 3;

function printPredictions(output: Output, images: readonly { path: string; predictions: Prediction[] }[], topk: number): void {
  if (topk <= MOST_IN_A_ROW) {
    const ranks = Math.min(topk, images[0].predictions.length);
    const header = ['image', ...Array.from({ length: ranks }, (_, i) => [`top ${i + 1}`, '']).flat()];
    const rows = images.map(({ path, predictions }) => [
      path,
      ...predictions.flatMap(({ label, score }) => [label, percent(score)]),
    ]);
    output.print(`\n${table(header, rows)}`);
    return;
  }
  for (const { path, predictions } of images) {
    output.print(`\n${path}`);
    const width = Math.max(...predictions.map(({ label }) => label.length));
    predictions.forEach(({ label, score }, i) =>
      output.print(`  ${i + 1}  ${label.padEnd(width)}  ${percent(score).padStart(8)}`),
    );
  }
}
