import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Augmentation, type CifarRecords, type Dataset, subset, syntheticShapes } from '@convkit/datasets';
import { cifar10, imageFolder, recordFolder } from '@convkit/datasets/node';
import { UsageError, closest } from './errors.js';
import { decimal, mebibytes } from './format.js';
import type { Progress } from './progress.js';

/** Which data a command works on. */
export interface DataOptions {
  data: string;
  dataDir?: string;
  limit?: number;
}

export interface TrainingData {
  kind: DataKind;
  train: Dataset;
  validation: Dataset;
  /** Side of the images, when all have the same. */
  side?: number;
  augmentation: Augmentation;
}

/** `records`: a folder with files in CIFAR-10's binary format; `folder`: one with a subfolder of pictures for each class. */
export type DataKind = 'cifar10' | 'synthetic' | 'records' | 'folder';

type Split = 'train' | 'test';

/** The embedded shapes: enough for a small net to learn them. */
const syntheticSizes = { train: 6000, test: 1000 } as const;

/** Training and held-out images. */
export async function openTraining(options: DataOptions, progress: Progress): Promise<TrainingData> {
  const kind = kindOf(options.data);
  const train = await open(kind, 'train', options, progress);
  const validation = await open(kind, 'test', options, progress);
  if (kind === 'folder')
    return { kind, train, validation, augmentation: { randomResizedCrop: { scale: [0.35, 1] }, flip: true } };
  return { kind, train, validation, side: 32, augmentation: { crop: { padding: 4 }, flip: true } };
}

/** The held-out images: the test split, or a folder's. */
export const openHeldOut = (options: DataOptions, progress: Progress): Promise<Dataset> =>
  open(kindOf(options.data), 'test', options, progress);

/** What people call the data: a folder by its last name. */
export const dataLabel = (data: string): string => basename(data) || data;

function kindOf(data: string): DataKind {
  if (data === 'cifar10' || data === 'synthetic') return data;
  if (existsSync(join(data, 'test_batch.bin'))) return 'records';
  if (existsSync(data) && statSync(data).isDirectory()) return 'folder';
  const near = closest(data, ['cifar10', 'synthetic']);
  throw new UsageError(
    `--data ${data}: no such folder, and not cifar10 or synthetic${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`,
  );
}

async function open(kind: DataKind, split: Split, { data, dataDir, limit }: DataOptions, progress: Progress): Promise<Dataset> {
  if (kind === 'synthetic') return synthetic(split, limit);
  if (kind === 'folder') return spread(await imageFolder(data, { split }), limit);
  const records =
    kind === 'records'
      ? await recordFolder(data, { split, name: dataLabel(data) })
      : await cifar10({ split, ...(dataDir === undefined ? {} : { dir: dataDir }), onProgress: downloadProgress(progress) });
  return limit !== undefined && limit < records.length ? records.first(limit) : records;
}

/** Image i does not depend on how many are drawn: no more than are used. */
function synthetic(split: Split, limit = Infinity): CifarRecords {
  return syntheticShapes({ size: Math.min(limit, syntheticSizes[split]), split });
}

/** A folder is sorted by class: as many images as asked for, from all of it. */
function spread(dataset: Dataset, limit = Infinity): Dataset {
  if (limit >= dataset.length) return dataset;
  return subset(
    dataset,
    Array.from({ length: limit }, (_, i) => Math.floor((i * dataset.length) / limit)),
  );
}

function downloadProgress(progress: Progress): (state: { received: number; total: number | undefined }) => void {
  const start = performance.now();
  return ({ received, total = received }) => {
    const rate = received / ((performance.now() - start) / 1000);
    const details = [mebibytes(received), `${decimal(rate / 2 ** 20)} MiB/s`];
    progress.update({ label: 'downloading CIFAR-10', done: received, total, details, secondsLeft: (total - received) / rate });
  };
}
