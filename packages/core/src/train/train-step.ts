import { type Tensor, add, mul, scalar } from '@tensorflow/tfjs-core';
import { Mean, type MetricBatch } from '../metrics/metric.js';
import type { Context, Module } from '../module.js';
import type { Batch } from './batch.js';
import { type BufferSnapshot, snapshotBuffers } from './buffers.js';
import { clipFactor, disposeMap, scaleGradients, squaredNorms, tidyMap } from './clip.js';
import { type GradientStep, gradientStep } from './gradient-step.js';
import type { Loss } from './losses.js';
import { NonFiniteError, findNonFinite } from './non-finite.js';
import type { Optimizer } from './optimizers.js';
import { type LogitsOf, toTensor } from './tensors.js';

/** What every step of a run has in common. */
export interface StepSetup<Output> {
  readonly model: Module<Output>;
  readonly optimizer: Optimizer;
  readonly loss: Loss<Output>;
  readonly logits: LogitsOf<Output>;
  readonly clipNorm?: number;
}

/** What is special to one step. */
export interface StepPlan {
  /** 1-based. */
  readonly step: number;
  readonly learningRate: number;
  /** The context of the i-th batch of this step; the same each time it is asked for. */
  readonly context: (batch: number) => Context;
}

export interface StepOutcome {
  /** Mean over the images of the step. */
  readonly loss: number;
  readonly images: number;
  /** L2 norm over all parameters, before clipping. */
  readonly gradientNorm: number;
  /** For the metrics: the logits of each batch, from the weights before the step. */
  readonly batches: readonly MetricBatch[];
}

/**
 * One optimizer step over one or more batches, whose losses are averaged as if they were one batch. All or nothing: if it
 * throws, weights, running statistics and optimizer are as before. Throws NonFiniteError if the loss or a gradient is not
 * finite.
 */
export async function trainStep<Output>(
  setup: StepSetup<Output>,
  plan: StepPlan,
  batches: AsyncIterable<Batch> | Iterable<Batch>,
): Promise<StepOutcome> {
  const buffers = snapshotBuffers(setup.model);
  const seen: MetricBatch[] = [];
  const loss = new Mean();
  let mean: Gradients | undefined;
  try {
    for await (const batch of batches) {
      const pass = await checkedPass(setup, plan, batch, seen, buffers);
      const images = batch.labels.length;
      mean = mean ? blend(mean, loss.weight, pass, images) : pass;
      loss.add(pass.value, images);
    }
    const gradientNorm = await apply(setup, plan, mean?.gradients ?? new Map<string, Tensor>());
    return { loss: loss.value, images: loss.weight, gradientNorm, batches: seen };
  } catch (error) {
    buffers.restore();
    throw error;
  } finally {
    mean?.dispose();
    buffers.dispose();
  }
}

type Gradients = Pick<GradientStep<unknown>, 'gradients' | 'dispose'>;

/** Forward and backward of one batch, with its logits noted in `seen`; the caller disposes of the result. */
async function checkedPass<Output>(
  setup: StepSetup<Output>,
  plan: StepPlan,
  batch: Batch,
  seen: MetricBatch[],
  buffers: BufferSnapshot,
): Promise<Gradients & { readonly value: number }> {
  const x = toTensor(batch);
  let pass: GradientStep<Output> | undefined;
  try {
    pass = gradientStep(setup.model, x, batch.labels, setup.loss, plan.context(seen.length));
    const logits = setup.logits(pass.output);
    const [[value], values] = await Promise.all([pass.loss.data(), logits.data()]);
    if (!Number.isFinite(value)) {
      buffers.restore();
      throw new NonFiniteError(plan.step, `the loss is ${value}`, await findNonFinite(setup.model, x, plan.context(seen.length)));
    }
    seen.push({ logits: values as Float32Array, classes: logits.shape.at(-1) ?? 1, labels: batch.labels });
    return { value, gradients: pass.gradients, dispose: pass.dispose };
  } catch (error) {
    pass?.dispose();
    throw error;
  } finally {
    x.dispose();
  }
}

/** The mean of gradients over `a` and `b` images; frees both. A parameter that one of them lacks has a gradient of 0 there. */
function blend(first: Gradients, a: number, second: Gradients, b: number): Gradients {
  try {
    const gradients = tidyMap(() => {
      const weights = [scalar(a / (a + b), 'float32'), scalar(b / (a + b), 'float32')];
      const result = new Map([...first.gradients].map(([name, gradient]) => [name, mul(gradient, weights[0])]));
      for (const [name, gradient] of second.gradients) {
        const share = mul(gradient, weights[1]);
        const other = result.get(name);
        result.set(name, other ? add(other, share) : share);
      }
      return result;
    });
    return { gradients, dispose: () => disposeMap(gradients) };
  } finally {
    first.dispose();
    second.dispose();
  }
}

/** Checks and clips the gradients, takes the step, and gives their norm. */
async function apply<Output>(setup: StepSetup<Output>, plan: StepPlan, gradients: ReadonlyMap<string, Tensor>): Promise<number> {
  const squares = await squaredNorms(gradients);
  const bad = squares.findIndex((square) => !Number.isFinite(square));
  if (bad >= 0) throw new NonFiniteError(plan.step, 'a gradient is not finite', `the gradient of ${[...gradients.keys()][bad]}`);
  const norm = Math.sqrt(squares.reduce((a, b) => a + b, 0));
  const factor = setup.clipNorm === undefined ? 1 : clipFactor(norm, setup.clipNorm);
  if (factor === 1) {
    setup.optimizer.step(gradients, plan.learningRate);
    return norm;
  }
  const clipped = scaleGradients(gradients, factor);
  try {
    setup.optimizer.step(clipped, plan.learningRate);
  } finally {
    disposeMap(clipped);
  }
  return norm;
}
