import { add, mul, scalar } from '@tensorflow/tfjs-core';
import { Mean, type MetricBatch } from '../metrics/metric.js';
import type { Context, Module } from '../module.js';
import type { Batch, Labels } from './batch.js';
import { type BufferSnapshot, snapshotBuffers } from './buffers.js';
import { clipFactor, disposeMap, scaleGradients, squaredNorms, tidyMap } from './clip.js';
import type { Ema } from './ema.js';
import { type GradientStep, gradientStep } from './gradient-step.js';
import type { Loss } from './losses.js';
import { NonFiniteError, findNonFinite } from './non-finite.js';
import type { Optimizer } from './optimizers.js';
import { type LogitsOf, toTensor } from './tensors.js';

/** What every step of a run has in common. */
export interface StepSetup<Output, L extends Labels = Int32Array> {
  readonly model: Module<Output>;
  readonly optimizer: Optimizer;
  readonly loss: Loss<Output, L>;
  /** What the metrics look at; absent: nothing is read but the loss and the norms. */
  readonly logits?: LogitsOf<Output>;
  readonly clipNorm?: number;
  /** Follows the weights. */
  readonly ema?: Ema;
}

/** What is special to one step. */
export interface StepPlan {
  /** 1-based. */
  readonly step: number;
  readonly learningRate: number;
  /** The rate of each parameter, where they differ. */
  readonly rateOf?: (name: string) => number;
  /** In the place of the optimizer's own. */
  readonly momentum?: number;
  /** The context of the i-th batch of this step; the same each time it is asked for. */
  readonly context: (batch: number) => Context;
}

export interface StepOutcome<L extends Labels = Int32Array> {
  /** Mean over the images of the step. */
  readonly loss: number;
  readonly images: number;
  /** L2 norm over all parameters, before clipping. */
  readonly gradientNorm: number;
  /** For the metrics: the logits of each batch, from the weights before the step; empty without `logits`. */
  readonly batches: readonly MetricBatch<L>[];
}

/**
 * One optimizer step over one or more batches, whose losses are averaged as if they were one batch. All or nothing: if it
 * throws, weights, running statistics and optimizer are as before. Throws NonFiniteError if the loss or a gradient is not
 * finite.
 */
export async function trainStep<Output, L extends Labels = Int32Array>(
  setup: StepSetup<Output, L>,
  plan: StepPlan,
  batches: AsyncIterable<Batch<L>> | Iterable<Batch<L>>,
): Promise<StepOutcome<L>> {
  const buffers = snapshotBuffers(setup.model);
  const seen: MetricBatch<L>[] = [];
  let taken = 0;
  const loss = new Mean();
  let mean: Gradients | undefined;
  try {
    for await (const batch of batches) {
      const pass = await checkedPass(setup, plan, taken++, batch, seen, buffers);
      const images = batch.labels.length;
      mean = mean ? await blend(mean, loss.weight, pass, images) : pass;
      loss.add(pass.value, images);
    }
    const gradientNorm = mean ? apply(setup, plan, mean) : 0;
    return { loss: loss.value, images: loss.weight, gradientNorm, batches: seen };
  } catch (error) {
    buffers.restore();
    throw error;
  } finally {
    mean?.dispose();
    buffers.dispose();
  }
}

interface Gradients extends Pick<GradientStep<unknown>, 'gradients' | 'dispose'> {
  /** The squared L2 norm of each gradient. */
  readonly squares: Float32Array;
}

/** Forward and backward of one batch, with its logits noted in `seen`; the caller disposes of the result. */
async function checkedPass<Output, L extends Labels>(
  setup: StepSetup<Output, L>,
  plan: StepPlan,
  index: number,
  batch: Batch<L>,
  seen: MetricBatch<L>[],
  buffers: BufferSnapshot,
): Promise<Gradients & { readonly value: number }> {
  const x = toTensor(batch);
  let pass: GradientStep<Output> | undefined;
  try {
    pass = gradientStep(setup.model, x, batch.labels, setup.loss, plan.context(index));
    const logits = setup.logits?.(pass.output);
    const { gradients } = pass;
    const [[value], squares, values] = await Promise.all([pass.loss.data(), squaredNorms(gradients), logits?.data()]);
    const bad = squares.findIndex((square) => !Number.isFinite(square));
    if (!Number.isFinite(value) || bad >= 0) {
      // A NaN may pass unseen through a ReLU (wasm's takes the larger of NaN and 0 to be 0), but not through the gradients.
      buffers.restore();
      const origin = await findNonFinite(setup.model, x, plan.context(index));
      if (!Number.isFinite(value)) throw new NonFiniteError(plan.step, `the loss is ${value}`, origin ?? 'the loss');
      throw new NonFiniteError(plan.step, 'a gradient is not finite', origin ?? `the gradient of ${[...gradients.keys()][bad]}`);
    }
    if (logits) seen.push({ logits: values as Float32Array, classes: logits.shape.at(-1) ?? 1, labels: batch.labels });
    return { value, gradients, squares, dispose: pass.dispose };
  } catch (error) {
    pass?.dispose();
    throw error;
  } finally {
    x.dispose();
  }
}

/** The mean of gradients over `a` and `b` images; frees both. A parameter that one of them lacks has a gradient of 0 there. */
async function blend(first: Gradients, a: number, second: Gradients, b: number): Promise<Gradients> {
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
    return { gradients, squares: await squaredNorms(gradients), dispose: () => disposeMap(gradients) };
  } finally {
    first.dispose();
    second.dispose();
  }
}

/** Clips the gradients, takes the step, lets the average follow, and gives the norm. */
function apply<Output, L extends Labels>(setup: StepSetup<Output, L>, plan: StepPlan, { gradients, squares }: Gradients): number {
  const norm = Math.sqrt(squares.reduce((a, b) => a + b, 0));
  const factor = setup.clipNorm === undefined ? 1 : clipFactor(norm, setup.clipNorm);
  const clipped = factor === 1 ? undefined : scaleGradients(gradients, factor);
  try {
    setup.optimizer.step(clipped ?? gradients, plan.rateOf ?? plan.learningRate, plan.momentum);
  } finally {
    disposeMap(clipped);
  }
  setup.ema?.update(plan.step);
  return norm;
}
