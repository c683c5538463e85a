import { mkdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import type { Detector } from '@convkit/core/detection';
import { readImage } from '@convkit/core/node';
import { startBackend } from '../backend.js';
import { type Found, classIndices, tableHeader, tableRows, tally, toJson } from '../detections.js';
import { UsageError } from '../errors.js';
import { decimal, table } from '../format.js';
import { readFrames } from '../frames.js';
import { findImages } from '../images.js';
import { loadDetector } from '../model.js';
import type { CommonOptions, ForeignWeightsOptions } from '../options.js';
import { Output } from '../output.js';
import { writeDetections } from '../pictures/detections.js';
import { Progress } from '../progress.js';

export interface DetectOptions extends CommonOptions, ForeignWeightsOptions {
  weights?: string;
  conf: number;
  iou?: number;
  maxDetections?: number;
  classes?: string;
  /** Width and height. */
  size?: [number, number];
  frames?: [number, number];
  out?: string;
}

export async function runDetect(name: string, paths: readonly string[], options: DetectOptions): Promise<void> {
  const output = new Output(options.json);
  const stream = paths.includes('-');
  if (stream && paths.length > 1) throw new UsageError('frames on standard input (-) and pictures do not go together');
  if (options.frames && !stream) throw new UsageError('--frames belongs to frames on standard input: convkit detect MODEL -');
  const files = stream ? [] : findImages(paths);
  const backend = await startBackend(options.backend);
  const progress = new Progress(output);
  const { weights: asked, rename, padding } = options;
  const { model, factory, weights } = await loadDetector(name, { weights: asked, rename, padding }, progress);
  try {
    const run = new DetectRun(model, options);
    const about = { model: factory.info.name, backend: backend.name };
    output.print(`model    ${about.model}, input ${model.inputSize[1]}×${model.inputSize[0]}`);
    output.print(`weights  ${weights.source}`);
    output.print(`backend  ${backend.reason}\n`);
    if (stream) await run.stream(output, about);
    else await run.files(files, output, progress, about);
  } finally {
    progress.end();
    model.dispose();
  }
}

/** What was asked for, applied to one picture after the other. */
class DetectRun {
  readonly #model: Detector;
  readonly #options: DetectOptions;
  readonly #only: readonly number[] | undefined;
  readonly #names = new Set<string>();
  readonly #start = performance.now();

  constructor(model: Detector, options: DetectOptions) {
    this.#model = model;
    this.#options = options;
    this.#only = options.classes === undefined ? undefined : classIndices(options.classes, model.classes);
    if (options.size) model.inputSize = [options.size[1], options.size[0]];
    if (options.out !== undefined) mkdirSync(options.out, { recursive: true });
  }

  async files(files: readonly string[], output: Output, progress: Progress, about: object): Promise<void> {
    const found: ReturnType<typeof toJson>[] = [];
    const rows: string[][] = [];
    for (const path of files) {
      const one = await this.#detect(path, await readImage(path));
      found.push(toJson(one));
      rows.push(...tableRows(one, this.#model.task));
      const rate = found.length / this.#seconds();
      const secondsLeft = (files.length - found.length) / rate;
      const details = [`${decimal(rate)} images/s`];
      progress.update({ label: 'detecting', done: found.length, total: files.length, details, secondsLeft });
    }
    progress.end();
    output.print(table(tableHeader(this.#model.task), rows));
    if (this.#options.out !== undefined) output.print(`\nwritten to ${this.#options.out}`);
    output.result({ ...about, images: found });
  }

  /** Each frame is told as soon as it is done. */
  async stream(output: Output, about: object): Promise<void> {
    let frames = 0;
    const size = this.#options.frames && { width: this.#options.frames[0], height: this.#options.frames[1] };
    for await (const image of readFrames(process.stdin, size)) {
      const one = await this.#detect(`frame-${String(frames).padStart(6, '0')}.jpg`, image);
      const { width, height, detections } = toJson(one);
      output.result({ frame: frames, width, height, detections });
      output.print(`frame ${frames}  ${tally(one.detections)}`);
      frames++;
    }
    const framesPerSecond = frames / this.#seconds();
    output.print(`\n${frames} frames, ${decimal(framesPerSecond)} frames/s`);
    output.result({ ...about, frames, framesPerSecond });
  }

  async #detect(path: string, image: Found['image']): Promise<Found> {
    const { conf: confidence, iou, maxDetections, out } = this.#options;
    const rules = {
      confidence,
      ...(maxDetections !== undefined && { maxDetections }),
      ...(iou !== undefined && { iou }),
      ...(this.#only && { only: this.#only }),
    };
    const detections = await this.#model.detect(image, rules);
    if (out !== undefined) await writeDetections(join(out, this.#pictureName(path)), image, detections);
    return { path, image, detections };
  }

  /** The picture's own name; a number is added where pictures of different folders have the same. */
  #pictureName(path: string): string {
    const extension = extname(path);
    const stem = basename(path, extension);
    const kept = /^\.(jpe?g|png)$/i.test(extension) ? extension : '.png';
    let name = `${stem}${kept}`;
    for (let n = 2; this.#names.has(name); n++) name = `${stem}-${n}${kept}`;
    this.#names.add(name);
    return name;
  }

  #seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }
}
