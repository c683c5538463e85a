import { inputSize, summarize } from '@convkit/core';
import { startBackend } from '../backend.js';
import { count, mebibytes, scaled, table } from '../format.js';
import { findModel } from '../model-packages.js';
import type { CommonOptions } from '../options.js';
import { Output } from '../output.js';

export interface SummaryOptions extends CommonOptions {
  classes?: number;
  imageSize?: number;
}

export async function runSummary(name: string, options: SummaryOptions): Promise<void> {
  const output = new Output(options.json);
  const factory = await findModel(name);
  await startBackend(options.backend);
  const model = factory(options.classes === undefined ? {} : { numClasses: options.classes, classes: undefined });
  const input: [number, number] = options.imageSize
    ? [options.imageSize, options.imageSize]
    : inputSize(factory.info.preprocessing);
  const summary = summarize(model, input);
  const rows = summary.layers.map((layer) => [
    layer.name,
    layer.type,
    layer.output.slice(1).join('×'),
    layer.parameters > 0 ? count(layer.parameters) : '0',
    layer.macs > 0 ? count(layer.macs) : '0',
  ]);
  output.print(table(['layer', 'type', 'output', 'parameters', 'multiply-adds'], rows));
  output.print();
  output.print(`${factory.info.name} (${factory.info.package}), input ${input.join('×')}×3`);
  output.print(`parameters      ${count(summary.parameters)} (${mebibytes(summary.weightBytes)} in float32)`);
  output.print(`multiply-adds   ${count(summary.macs)} (${scaled(summary.macs)}) an image`);
  output.print(`layer outputs   ${mebibytes(summary.activationBytes)} an image: about what training keeps for the backward pass`);
  output.result({ model: factory.info.name, package: factory.info.package, ...summary });
}
