// Weights that anyone can make again from the names of the tensors alone: what lets a golden be a few kilobytes.
import { type Module, fnv1a, mix } from '@convkit/core';

/** [pattern, factor]: the first pattern that matches a name multiplies its values; 'keep' leaves the model's own. */
export type FillRule = readonly [pattern: string, factor: number | 'keep'];

/** The hash of element `i` of the tensor called `name`, 32 bits. */
export function hash(name: string, i: number): number {
  return mix((fnv1a(name) + Math.imul(i + 1, 0x9e3779b9)) >>> 0);
}

/** `count` values in [−1, 1) that depend only on `name`. */
export function noise(name: string, count: number): Float64Array {
  const seed = fnv1a(name);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = mix((seed + Math.imul(i + 1, 0x9e3779b9)) >>> 0) / 2 ** 31 - 1;
  return values;
}

/** The values of one state-dict entry of this PyTorch shape. */
export function fillValues(name: string, shape: readonly number[], factor = 1): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1);
  const [scale, offset] = distribution(name, shape);
  return Float32Array.from(noise(name, size), (u) => (offset + u * scale) * factor);
}

function distribution(name: string, shape: readonly number[]): [scale: number, offset: number] {
  if (shape.length >= 2) return [Math.sqrt(6 / shape.slice(1).reduce((a, b) => a * b, 1)), 0];
  if (name.endsWith('running_mean')) return [0.1, 0];
  if (name.endsWith('running_var')) return [0.5, 1];
  if (name.endsWith('.weight')) return [0.2, 1];
  return [0.1, 0];
}

/** Fills every weight and running statistic of a model. */
export function fillModel(model: Module<unknown>, rules: readonly FillRule[] = []): void {
  for (const [name, state] of model.state()) {
    if (state.kind === 'counter') continue;
    const factor = rules.find(([pattern]) => new RegExp(pattern).test(name))?.[1] ?? 1;
    if (factor !== 'keep') state.set(fillValues(name, state.shape, factor));
  }
}

/** The input of a golden, [N, H, W, C] from noise that is laid out [N, C, H, W]; `unit` maps it to 0 … 1. */
export function fillInput(nchw: readonly number[], { name = 'input', unit = false } = {}): Float32Array {
  const [n, c, h, w] = nchw;
  const values = noise(name, n * c * h * w);
  const result = new Float32Array(values.length);
  let k = 0;
  for (let i = 0; i < n; i++)
    for (let channel = 0; channel < c; channel++)
      for (let p = 0; p < h * w; p++) {
        const u = values[k++];
        result[(i * h * w + p) * c + channel] = unit ? (u + 1) / 2 : u;
      }
  return result;
}
