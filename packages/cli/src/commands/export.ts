import { type Classifier, inputSize } from '@convkit/core';
import { writeFileAtomic } from '@convkit/core/node';
import type * as Onnx from '@convkit/onnx';
import { loadInstalled, startBackend } from '../backend.js';
import { UsageError } from '../errors.js';
import { openHeldOut } from '../data.js';
import { compareAccuracy } from '../file-accuracy.js';
import { count, decimal, mebibytes, percent } from '../format.js';
import { findModel, isDetector } from '../model-packages.js';
import { loadAnyModel } from '../model.js';
import type { CommonOptions, ForeignWeightsOptions } from '../options.js';
import { Output } from '../output.js';
import { Progress } from '../progress.js';

export interface ExportOptions extends CommonOptions, ForeignWeightsOptions {
  weights?: string;
  out?: string;
  /** Width and height. */
  size?: [number, number];
  anySize?: boolean;
  batch?: number;
  data?: string;
  dataDir?: string;
  limit?: number;
  store: 'float32' | 'float16' | 'int8';
  nms?: boolean;
  conf: number;
  iou: number;
  maxDetections: number;
}

export async function runExport(name: string, options: ExportOptions): Promise<void> {
  const output = new Output(options.json);
  if (options.size && options.anySize) throw new UsageError('--size and --any-size exclude each other');
  const onnx = await loadInstalled<typeof Onnx>('@convkit/onnx');
  if (!onnx) throw new UsageError('convkit export needs a package that is not installed: npm install @convkit/onnx');
  if (options.backend !== 'auto' && options.backend !== 'onnx') {
    throw new UsageError(`the file is written by the onnx backend: leave out --backend ${options.backend}`);
  }
  const { data: dataName } = options;
  if (dataName !== undefined && isDetector(await findModel(name))) {
    throw new UsageError(`--data measures top-1, which ${name} as a detector has not: leave it out`);
  }
  await startBackend('onnx');
  const progress = new Progress(output);
  const data = dataName === undefined ? undefined : await openHeldOut({ ...options, data: dataName }, progress);
  const { model, factory, weights, preprocessing } = await loadAnyModel(name, { ...options, classes: data?.classes }, progress);
  progress.end();
  try {
    const own = inputSize(preprocessing);
    const size: [number, number] = options.size ? [options.size[1], options.size[0]] : own;
    const { batch = 'any', conf, iou, maxDetections, store, out = `${factory.info.name}.onnx` } = options;
    const file = onnx.exportOnnx(model, {
      ...{ batch, weights: store, size: options.anySize ? 'any' : size },
      nms: options.nms ? { confidence: conf, iou, maxDetections } : false,
      metadata: { name: factory.info.name, source: weights.source },
    });
    await writeFileAtomic(out, file);
    const difference = batch === 'any' || batch === 1 ? onnx.exportDifference(model, file, { size }) : undefined;
    output.print(`model       ${factory.info.name}`);
    output.print(`weights     ${weights.source}, stored as ${store}`);
    output.print(`input       images [${batch}, 3, ${options.anySize ? 'any, any' : size.join(', ')}]`);
    for (const [each, share] of Object.entries(difference ?? {})) {
      output.print(
        `${each.padEnd(11)} differ by ${decimal(share)} of the largest value at most, in ONNX Runtime on an image of noise`,
      );
    }
    const accuracies = data && (await compareAccuracy(model as Classifier, new onnx.OpenFile(file), data, progress));
    if (accuracies) {
      const { images, net, file: stored } = accuracies;
      const right = count(Math.round(stored * images));
      output.print(`top-1       ${percent(stored)} (${right} of ${count(images)}); the net itself ${percent(net)}`);
    }
    output.print(`written     ${out}, ${mebibytes(file.length)}`);
    output.result({
      model: factory.info.name,
      out,
      bytes: file.length,
      opset: onnx.OPSET,
      store,
      size,
      batch,
      difference,
      accuracies,
    });
  } finally {
    model.dispose();
  }
}
