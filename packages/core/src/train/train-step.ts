import { type Tensor, add, clone, mul, scalar } from '@tensorflow/tfjs-core';
import { Mean, type MetricBatch } from '../metrics/metric.js';
import type { Context, Module } from '../module.js';
import type { Batch, Labels } from './batch.js';
import { type Snapshot, snapshotModel, together } from './buffers.js';
import { clipGradients, disposeMap, squaredNorms, tidyMap } from './clip.js';
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
 *
 * The step is taken before its loss is read, and taken back if that is not finite: so a backend that records kernels runs
 * forward pass, gradients and update as one graph.
 */
export async function trainStep<Output, L extends Labels = Int32Array>(
  setup: StepSetup<Output, L>,
  plan: StepPlan,
  batches: AsyncIterable<Batch<L>> | Iterable<Batch<L>>,
): Promise<StepOutcome<L>> {
  const step = new Step(setup, plan);
  try {
    for await (const batch of batches) {
      await step.check();
      step.record(batch);
    }
    step.update();
    await step.check();
    return step.outcome;
  } catch (error) {
    step.undo();
    throw error;
  } finally {
    step.dispose();
  }
}

/** Forward and backward pass of a batch whose figures have not been read. */
interface Pass<Output, L> {
  readonly index: number;
  readonly x: Tensor;
  readonly labels: L;
  readonly result: GradientStep<Output>;
  readonly squares: Tensor;
}

class Step<Output, L extends Labels> {
  readonly #setup: StepSetup<Output, L>;
  readonly #plan: StepPlan;
  readonly #before: Snapshot;
  readonly #loss = new Mean();
  readonly #seen: MetricBatch<L>[] = [];
  #batches = 0;
  #images = 0;
  #pass: Pass<Output, L> | undefined;
  /** The mean over the batches so far. */
  #gradients: Map<string, Tensor> | undefined;
  /** The squared norms of the mean. */
  #squares: Tensor | undefined;
  #gradientNorm = 0;

  constructor(setup: StepSetup<Output, L>, plan: StepPlan) {
    this.#setup = setup;
    this.#plan = plan;
    const { model, optimizer, ema } = setup;
    this.#before = together([snapshotModel(model), optimizer.snapshot(), ...(ema ? [ema.snapshot()] : [])]);
  }

  get outcome(): StepOutcome<L> {
    return { loss: this.#loss.value, images: this.#images, gradientNorm: this.#gradientNorm, batches: this.#seen };
  }

  record(batch: Batch<L>): void {
    const { model, loss } = this.#setup;
    const { labels } = batch;
    const index = this.#batches++;
    const x = toTensor(batch);
    let result: GradientStep<Output>;
    try {
      result = gradientStep(model, x, labels, loss, this.#plan.context(index));
    } catch (error) {
      x.dispose();
      throw error;
    }
    const { gradients } = result;
    this.#pass = { index, x, labels, result, squares: squaredNorms(gradients) };
    const mean = this.#gradients ? blend(this.#gradients, this.#images, gradients, labels.length) : copy(gradients);
    disposeMap(this.#gradients);
    disposeMap(gradients);
    this.#gradients = mean;
    this.#images += labels.length;
  }

  /** Clips the gradients, takes the step, and lets the average follow. */
  update(): void {
    const { optimizer, clipNorm, ema } = this.#setup;
    const { learningRate, rateOf, momentum, step } = this.#plan;
    if (!this.#gradients) return;
    this.#squares = this.#batches === 1 && this.#pass ? clone(this.#pass.squares) : squaredNorms(this.#gradients);
    const clipped = clipNorm === undefined ? undefined : clipGradients(this.#gradients, this.#squares, clipNorm);
    try {
      optimizer.step(clipped ?? this.#gradients, rateOf ?? learningRate, momentum);
    } finally {
      disposeMap(clipped);
    }
    ema?.update(step);
    disposeMap(this.#gradients);
  }

  /** Reads the figures of the pass that was recorded last, if any. Throws NonFiniteError where they are not finite. */
  async check(): Promise<void> {
    const pass = this.#pass;
    if (!pass) return;
    const { index, x, labels, result } = pass;
    const logits = this.#setup.logits?.(result.output);
    const [[value], squares, norms, values] = await Promise.all([
      result.loss.data(),
      pass.squares.data<'float32'>(),
      this.#squares?.data<'float32'>(),
      logits?.data<'float32'>(),
    ]);
    const bad = [...squares, ...(norms ?? [])].findIndex((square) => !Number.isFinite(square));
    if (!Number.isFinite(value) || bad >= 0) {
      // A NaN may pass unseen through a ReLU (wasm's takes the larger of NaN and 0 to be 0), but not through the gradients.
      this.#before.restore();
      const { model } = this.#setup;
      const { step, context } = this.#plan;
      const origin = await findNonFinite(model, x, context(index));
      if (!Number.isFinite(value)) throw new NonFiniteError(step, `the loss is ${value}`, origin ?? 'the loss');
      const names = [...result.gradients.keys()];
      throw new NonFiniteError(step, 'a gradient is not finite', origin ?? `the gradient of ${names[bad % names.length]}`);
    }
    this.#loss.add(value, labels.length);
    if (logits && values) this.#seen.push({ logits: values, classes: logits.shape.at(-1) ?? 1, labels });
    if (norms) this.#gradientNorm = Math.sqrt(norms.reduce((a, b) => a + b, 0));
    this.#release();
  }

  undo(): void {
    this.#before.restore();
  }

  dispose(): void {
    this.#release();
    disposeMap(this.#gradients);
    this.#squares?.dispose();
    this.#before.dispose();
  }

  #release(): void {
    this.#pass?.x.dispose();
    this.#pass?.squares.dispose();
    this.#pass?.result.dispose();
    this.#pass = undefined;
  }
}

const copy = (gradients: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  tidyMap(() => new Map([...gradients].map(([name, gradient]) => [name, clone(gradient)])));

/** The mean of gradients over `a` and `b` images. A parameter that one of them lacks has a gradient of 0 there. */
function blend(
  first: ReadonlyMap<string, Tensor>,
  a: number,
  second: ReadonlyMap<string, Tensor>,
  b: number,
): Map<string, Tensor> {
  return tidyMap(() => {
    const weights = [scalar(a / (a + b), 'float32'), scalar(b / (a + b), 'float32')];
    const result = new Map([...first].map(([name, gradient]) => [name, mul(gradient, weights[0])]));
    for (const [name, gradient] of second) {
      const share = mul(gradient, weights[1]);
      const other = result.get(name);
      result.set(name, other ? add(other, share) : share);
    }
    return result;
  });
}
