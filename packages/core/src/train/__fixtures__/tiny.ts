import { createHash } from 'node:crypto';
import type { Tensor } from '@tensorflow/tfjs-core';
import { flatten, globalAvgPool, relu } from '../../functional.js';
import { BatchNorm2d } from '../../layers/batch-norm.js';
import { Conv2d } from '../../layers/conv2d.js';
import { Dropout } from '../../layers/dropout.js';
import { Linear } from '../../layers/linear.js';
import { type Context, Module, pipe } from '../../module.js';
import { Random } from '../../random.js';
import type { StateDict } from '../../weights/host-tensor.js';
import type { Batch, BatchSource } from '../batch.js';
import type { Checkpoint, CheckpointStore } from '../checkpoint.js';

/** Everything that has state in training, in a net of 3 × 3 pixels: [N,3,3,2] → [N,3]. */
export class TinyNet extends Module {
  readonly conv = new Conv2d(2, 4, 3, { padding: 1 });
  readonly bn = new BatchNorm2d(4);
  readonly drop = new Dropout(0.2);
  readonly fc = new Linear(4, 3);

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, this.conv, this.bn, relu, globalAvgPool, this.drop, this.fc);
  }
}

/** Two dense layers and nothing that depends on the batch: [N,3,3,2] → [N,3]. */
export class Dense extends Module {
  readonly fc1 = new Linear(18, 8);
  readonly fc2 = new Linear(8, 3);

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, flatten, this.fc1, relu, this.fc2);
  }
}

export interface TinySourceOptions {
  size?: number;
  batchSize?: number;
  /** Changes a batch before it is given out; `index` counts within the epoch. */
  change?: (batch: Batch, epoch: number, index: number) => void;
}

/** Images of three classes that differ in where they are bright, in an order that depends on seed and epoch. */
export function tinySource({ size = 20, batchSize = 4, change }: TinySourceOptions = {}): BatchSource {
  const batchesPerEpoch = Math.ceil(size / batchSize);
  return {
    size,
    batchesPerEpoch,
    classes: ['left', 'middle', 'right'],
    async *epoch({ epoch, seed, start = 0 }) {
      const order = new Random(seed).child('shuffle').child(epoch).permutation(size);
      for (let index = start; index < batchesPerEpoch; index++) {
        const batch = images(order.subarray(index * batchSize, (index + 1) * batchSize));
        change?.(batch, epoch, index);
        await Promise.resolve();
        yield batch;
      }
    },
  };
}

function images(samples: Uint32Array): Batch {
  const pixels = new Float32Array(samples.length * 18);
  const labels = Int32Array.from(samples, (sample) => sample % 3);
  samples.forEach((sample, n) => {
    const noise = new Random(sample);
    for (let i = 0; i < 18; i++) pixels[n * 18 + i] = 0.3 * noise.normal() + ((i >> 1) % 3 === labels[n] ? 1 : 0);
  });
  return { images: pixels, shape: [samples.length, 3, 3, 2], labels };
}

/** A checkpoint store in memory that keeps every save, as bytes that later changes cannot reach. */
export class MemoryStore implements CheckpointStore {
  readonly saves: { name: string; checkpoint: Checkpoint }[] = [];
  best: string | undefined;

  save(name: string, checkpoint: Checkpoint): Promise<void> {
    this.saves.push(structuredClone({ name, checkpoint: { ...checkpoint, progress: jsonCopy(checkpoint.progress) } }));
    return Promise.resolve();
  }

  saveBest(name: string): Promise<void> {
    this.best = name;
    return Promise.resolve();
  }

  latest(): Promise<{ name: string; checkpoint: Checkpoint } | undefined> {
    return Promise.resolve(structuredClone(this.saves.at(-1)));
  }
}

const jsonCopy = (value: Record<string, unknown>) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>;

/** sha256 over names, shapes and bytes, and whatever else is given. */
export function digest(states: readonly StateDict[], ...more: unknown[]): string {
  const hash = createHash('sha256');
  for (const state of states) {
    for (const [name, { shape, data }] of state) {
      hash.update(`${name}[${shape}]`);
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  }
  return hash.update(JSON.stringify(more)).digest('hex');
}
