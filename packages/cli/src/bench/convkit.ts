import { readFileSync } from 'node:fs';
import { type ClassModel, Random, inference, loadStateDict, predictWith } from '@convkit/core';
import { loadWeights } from '@convkit/core/node';
import { type Loss, crossEntropy, sgd, trainStep } from '@convkit/core/train';
import { Tensor, dispose, tensor4d, backend as tfjsBackend } from '@tensorflow/tfjs-core';
import { startBackend } from '../backend.js';
import { findModel } from '../model-packages.js';
import type { Preparation } from './peer.js';
import { type Engine, type Run, summaryOf } from './worker.js';
import { smallStem } from './works.js';

/** convkit on one of its backends: the forward pass of `predict`, or the step of the trainer. */
export const convkitEngine =
  (backend: string): Engine =>
  async (preparation) => {
    const { device } = await startBackend(backend);
    const model = await buildModel(preparation);
    const engine = `convkit on ${backend} (${device})`;
    if (preparation.mode === 'inference') return { engine, run: inferenceRun(model, preparation) };
    return { engine, run: trainRun(model, preparation), graphMs: graphTime() };
  };

/** The clock of a backend that runs whole graphs. */
function graphTime(): (() => number) | undefined {
  const current = tfjsBackend() as { readonly statistics?: { readonly runMs: number } };
  return current.statistics && (() => current.statistics!.runMs);
}

/** The net with the weights of the other engines, or where there are none, with its own initial ones. */
export async function buildModel({ model: name, side, classes, mode, weights }: Preparation): Promise<ClassModel> {
  const factory = await findModel(name);
  const { preprocessing } = factory.info;
  const config = {
    numClasses: classes,
    preprocessing: { ...preprocessing, size: side },
    ...(smallStem(name, side) ? { stem: 'small' } : {}),
    ...(mode === 'training' ? { dropout: 0 } : {}), // the same step, and the same loss, in every engine
    ...(name === 'inception_v3' ? { auxiliary: false } : {}),
  };
  const model = factory(config);
  if (weights === undefined) return model.initialize();
  const { tensors } = await loadWeights(weights);
  loadStateDict(model, tensors, { rename: (text) => model.rename(text) });
  return model;
}

/** The images of all engines, [N, H, W, 3]. */
export function readImages({ input }: Preparation): Float32Array {
  const bytes = readFileSync(input);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

export const labelsOf = ({ batch, classes }: Preparation): Int32Array =>
  Int32Array.from({ length: batch }, (_, i) => i % classes);

function inferenceRun(model: ClassModel, preparation: Preparation): Run {
  const { batch, side } = preparation;
  const x = tensor4d(readImages(preparation), [batch, side, side, 3]);
  return async () => {
    const results = predictWith(model, 'bench', (input) => resultsOf(model.forward(input, inference)), x);
    const values = (await Promise.all(results.map((result) => result.data()))) as Float32Array[];
    dispose(results);
    return summaryOf(values);
  };
}

/** What a user reads of a net's output: logits, or a detector's boxes and scores. */
function resultsOf(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output as Tensor];
  const { boxes, scores } = output as { readonly boxes: Tensor; readonly scores: Tensor };
  return [boxes, scores];
}

function trainRun(model: ClassModel, preparation: Preparation): Run {
  const { batch, side } = preparation;
  const optimizer = sgd({ momentum: 0.9 }).bind(model.parameters());
  const setup = { model, optimizer, loss: crossEntropy() as Loss<unknown> };
  const data = { images: readImages(preparation), shape: [batch, side, side, 3] as [number, number, number, number] };
  const labels = labelsOf(preparation);
  const random = new Random(0);
  let step = 0;
  return async () => {
    const plan = { step: ++step, learningRate: 0.01, context: () => ({ training: true, random: random.child(step) }) };
    const { loss } = await trainStep(setup, plan, [{ ...data, labels }]);
    return [loss];
  };
}
