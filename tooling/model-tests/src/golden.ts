import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { FillRule } from './fill.js';

/** A tensor of the reference run: all of its values, or every `stride`-th, with sums over all. */
export interface TensorRecord {
  shape: number[];
  sum: number;
  l2: number;
  data?: number[];
  stride?: number;
  strided?: number[];
}

/** How far the reference's own float32 run strays from its float64 run: the scale of every tolerance. */
interface OutputNoise {
  rel_l2: number;
}

export interface OutputCase {
  input_shape: number[];
  output: TensorRecord;
  f32_vs_f64: OutputNoise;
}

/** A case of several outputs by name, `output` among them. */
interface NamedOutputs {
  output: TensorRecord;
  other_outputs: Record<string, TensorRecord>;
  f32_vs_f64: Record<string, OutputNoise>;
}

export interface TrainCase {
  input_shape: number[];
  labels: number[];
  loss: number;
  logits: TensorRecord;
  grad_l2: Record<string, number>;
  bn_after: Record<string, { running_mean: number[]; running_var: number[]; num_batches_tracked: number }>;
  f32_vs_f64: { loss_rel: number; grad_l2_worst_rel: number; grad_l2_median_rel?: number };
}

/** One reference model with weights filled by name (see `fill.ts`). */
export interface Golden extends OutputCase {
  model: string;
  /** How the input is made: `(u+1)/2` says that it lies in 0 … 1. */
  input?: string;
  reference: string;
  num_params: number;
  madds: number;
  param_shapes: Record<string, number[]>;
  fill_rules: FillRule[];
  fill_check: { sum_all: number; sumsq_all: number };
  cases: OutputCase[];
  train?: TrainCase;
}

/** The float32 runs of two correct programs differ by some multiple of the reference's own rounding noise. */
export const NOISE_FACTOR = 20;
const FLOAT32_EPS = 2 ** -23;

/** A golden; where the reference gives probabilities besides logits, its output are the logits. */
export function readGolden(path: string | URL): Golden {
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  return { ...golden, ...logitsOf(golden), cases: golden.cases.map((entry) => ({ ...entry, ...logitsOf(entry) })) };
}

function logitsOf(entry: OutputCase | (OutputCase & NamedOutputs)): Partial<OutputCase> {
  if (!('other_outputs' in entry) || !entry.other_outputs['logits']) return {};
  return { output: entry.other_outputs['logits'], f32_vs_f64: entry.f32_vs_f64['logits'] };
}

/** The reference data that may lie beside the checkout, which is larger than what the project carries. */
export const sharedDir: string | undefined = [
  process.env.CONVKIT_SHARED,
  fileURLToPath(new URL('../../../../shared', import.meta.url)),
].find((dir) => dir !== undefined && existsSync(dir));

/** Every golden of a family beside the checkout, by model name; empty where there are none. */
export function sharedGoldens(family: string): Map<string, URL> {
  if (!sharedDir) return new Map();
  const folder = new URL(`file://${sharedDir}/goldens/${family}/`);
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return new Map(files.map((file) => [file.replace(/\.json$/, ''), new URL(file, folder)]));
}

/** Fails unless `actual` is the recorded tensor up to float32 noise. */
export function expectTensor(actual: Float32Array, shape: readonly number[], record: TensorRecord, noise: OutputNoise): void {
  expect(shape).toEqual(record.shape);
  const tolerance = NOISE_FACTOR * Math.max(noise.rel_l2, FLOAT32_EPS);
  const expected = record.data ?? record.strided ?? [];
  const stride = record.data ? 1 : (record.stride ?? 1);
  const recorded = expected.map((_, k) => actual[k * stride]);
  expect(distance(recorded, expected), 'relative L2 distance to the reference').toBeLessThan(tolerance);
  expect(relative(l2(actual), record.l2), 'relative difference of the L2 norm').toBeLessThan(tolerance);
}

/**
 * A ReLU whose input is zero but for rounding opens in one float32 program and stays shut in another: in nets of 50 layers
 * that moves single gradients by up to 3 % and half of them by up to 0.05 %, while the loss agrees to 1e-7.
 */
const RELU_FLIPS = { worst: 3e-2, median: 5e-4 };

/** Fails unless the L2 norms of all gradients are the recorded ones, up to float32 noise and ReLU flips. */
export function expectGradients(actual: Map<string, number>, train: TrainCase): void {
  const { grad_l2_worst_rel: worst, grad_l2_median_rel: median = 0 } = train.f32_vs_f64;
  expect([...actual.keys()].sort(), 'parameters with a gradient').toEqual(Object.keys(train.grad_l2).sort());
  const total = l2(Object.values(train.grad_l2));
  const errors: { name: string; error: number }[] = [];
  for (const [name, expected] of Object.entries(train.grad_l2)) {
    const error = Math.abs(actual.get(name)! - expected);
    // A gradient that is zero but for rounding has no relative error: that of a bias before a normalisation is 1e-16 of the
    // whole in the reference's float64, and about 1e-7 in float32.
    if (expected < 1e-12 * total) expect(error, `gradient of ${name}, which is zero`).toBeLessThan(1e-6 * total);
    else errors.push({ name, error: error / Math.max(expected, 1e-6 * total) });
  }
  errors.sort((a, b) => b.error - a.error);
  expect(errors[0].error, `relative error of the gradient of ${errors[0].name}`).toBeLessThan(
    Math.max(NOISE_FACTOR * worst, RELU_FLIPS.worst),
  );
  const middle = errors[errors.length >> 1];
  expect(middle.error, 'median relative error of the gradients').toBeLessThan(Math.max(NOISE_FACTOR * median, RELU_FLIPS.median));
}

/** |actual − expected| / |expected| in the L2 norm; not a number when nothing was recorded. */
export function distance(actual: ArrayLike<number>, expected: readonly number[]): number {
  return l2(expected.map((value, i) => actual[i] - value)) / l2(expected);
}

export function relative(actual: number, expected: number): number {
  return Math.abs(actual - expected) / Math.max(Math.abs(expected), Number.MIN_VALUE);
}

export function l2(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum);
}
