import { readFileSync } from 'node:fs';
import { type StateDict, loadStateDict } from '@convkit/core';
import { type TensorRecord, noise } from '@convkit/model-tests';
import type { DarknetDetector } from './detector.js';
import type { DarknetNetwork } from './network.js';
import { darknetDetectors } from './variants.js';

/** A reference run of a Darknet net, with weights that follow from their place in the file. */
export interface DarknetGolden {
  model: string;
  head_scale: number;
  num_params: number;
  num_buffers: number;
  weight_file_bytes: number;
  weight_check: { first: number[]; last: number[]; sum: number; sumsq: number };
  cases: DarknetCase[];
}

export type LayerRow = [index: number, shape: [channels: number, height: number, width: number], l2: number, sum: number];

export interface DarknetCase {
  input_shape: [number, number, number, number];
  madds: number;
  layer_stats: { rows: LayerRow[] };
  heads: { layer: number; raw: TensorRecord }[];
  /** Rows [x, y, w, h, objectness, probabilities …], relative to the input. */
  output: TensorRecord;
}

export const readDarknetGolden = (url: URL): DarknetGolden => JSON.parse(readFileSync(url, 'utf8')) as DarknetGolden;

/** The `.weights` file of a golden, version 0.2.5: value i is drawn from the i-th number of the noise called `darknet`. */
export function filledFile(network: DarknetNetwork, headScale: number): Uint8Array {
  const shapes = new Map([...network.state()].map(([name, { shape, kind }]) => [name, kind === 'counter' ? [0] : shape]));
  const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  const total = [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  const u = noise('darknet', total);
  const bytes = new Uint8Array(20 + 4 * total);
  const values = new Float32Array(bytes.buffer, 20);
  new DataView(bytes.buffer).setInt32(4, 2, true);
  new DataView(bytes.buffer).setInt32(8, 5, true);
  let at = 0;
  network.layers.forEach(({ weighted }, index) => {
    for (const part of weighted?.fileOrder ?? []) {
      const shape = shapes.get(`${index}.${part}`)!;
      const isHead = !weighted!.fileOrder.some((name) => name.startsWith('batch_norm'));
      const [scale, offset] = distribution(part, shape, isHead ? headScale : 1);
      for (const end = at + sizeOf(shape); at < end; at++) values[at] = offset + u[at] * scale;
    }
  });
  return bytes;
}

function distribution(part: string, shape: readonly number[], headScale: number): [scale: number, offset: number] {
  if (part.endsWith('.bias') || part.endsWith('.running_mean')) return [0.1, 0];
  if (part.endsWith('.running_var')) return [0.5, 1];
  if (part.startsWith('batch_norm')) return [0.2, 1];
  return [Math.sqrt(6 / shape.slice(1).reduce((a, b) => a * b, 1)) * headScale, 0];
}

/** A net by its published name, for one size of input, with the weights of its golden. */
export function filledModel(name: string, headScale: number): { model: DarknetDetector; file: Uint8Array; tensors: StateDict } {
  const factory = darknetDetectors.find(({ info }) => info.name === name)!;
  const model = factory();
  const file = filledFile(model.network, headScale);
  const { tensors } = factory.decodeWeights!(file, name);
  loadStateDict(model, tensors);
  return { model, file, tensors };
}
