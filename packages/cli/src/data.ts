import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Augmentation, CifarRecords, type Dataset, subset, syntheticShapes } from '@convkit/datasets';
import { UsageError, closest } from './errors.js';
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

export type DataKind = 'cifar10' | 'synthetic' | 'folder';

export const defaultCifarDir = 'data/cifar10';

/** The embedded shapes: enough for a small net to learn them, few enough to be drawn in a second. */
const syntheticSizes = { train: 6000, test: 1000 } as const;

/** Images of a folder without a validation split: every tenth is held out. */
const HELD_OUT = 10;

/** Training and held-out images. */
export async function openTraining(options: DataOptions, progress: Progress): Promise<TrainingData> {
  const kind = kindOf(options.data);
  const small = { crop: { padding: 4 }, flip: true };
  if (kind === 'folder') {
    const { train, validation } = await openFolder(options.data);
    return {
      kind,
      train: limited(train, options.limit),
      validation: limited(validation, options.limit),
      augmentation: { randomResizedCrop: { scale: [0.35, 1] }, flip: true },
    };
  }
  const train = kind === 'synthetic' ? synthetic('train', options.limit) : await openCifar('train', options, progress);
  const validation = await openHeldOut(options, progress);
  return { kind, train: limited(train, options.limit), validation, side: 32, augmentation: small };
}

/** The held-out images: the test split, or a folder's. */
export async function openHeldOut(options: DataOptions, progress: Progress): Promise<Dataset> {
  const kind = kindOf(options.data);
  if (kind === 'synthetic') return synthetic('test', options.limit);
  if (kind === 'cifar10') return limited(await openCifar('test', options, progress), options.limit);
  return limited((await openFolder(options.data)).validation, options.limit);
}

/** Image i does not depend on how many are drawn: no more than are used. */
function synthetic(split: 'train' | 'test', limit = Infinity): CifarRecords {
  return syntheticShapes({ size: Math.min(limit, syntheticSizes[split]), split });
}

function kindOf(data: string): DataKind {
  if (data === 'cifar10' || data === 'synthetic') return data;
  if (existsSync(data) && statSync(data).isDirectory()) return 'folder';
  const near = closest(data, ['cifar10', 'synthetic']);
  throw new UsageError(
    `--data ${data}: no such folder, and not cifar10 or synthetic${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`,
  );
}

async function openCifar(
  split: 'train' | 'test',
  { dataDir = defaultCifarDir }: DataOptions,
  progress: Progress,
): Promise<CifarRecords> {
  const { cifar10 } = await import('@convkit/datasets/node');
  return cifar10({ split, dir: dataDir, progress });
}

/** `train/` beside `val/`, `validation/` or `test/`; or one folder, of which every tenth image is held out. */
async function openFolder(folder: string): Promise<{ train: Dataset; validation: Dataset }> {
  const { imageFolder } = await import('@convkit/datasets/node');
  const below = new Set(readdirSync(folder));
  const heldOut = ['val', 'valid', 'validation', 'test'].find((name) => below.has(name));
  if (below.has('train') && heldOut) {
    const [train, validation] = [await imageFolder(join(folder, 'train')), await imageFolder(join(folder, heldOut))];
    if (train.classes.join('\n') !== validation.classes.join('\n')) {
      throw new UsageError(
        `${folder}: train/ has the classes ${train.classes.join(', ')}, but ${heldOut}/ has ${validation.classes.join(', ')}`,
      );
    }
    return { train, validation };
  }
  const all = await imageFolder(folder);
  const indices = Array.from({ length: all.length }, (_, i) => i);
  const isHeldOut = (i: number): boolean => i % HELD_OUT === HELD_OUT - 1;
  return {
    train: subset(
      all,
      indices.filter((i) => !isHeldOut(i)),
      `${all.name} (train)`,
    ),
    validation: subset(all, indices.filter(isHeldOut), `${all.name} (held out)`),
  };
}

/** The first images; of a folder, which is sorted by class, as many spread evenly. */
function limited(dataset: Dataset, limit: number | undefined): Dataset {
  if (limit === undefined || limit >= dataset.length) return dataset;
  if (dataset instanceof CifarRecords) return dataset.first(limit);
  return subset(
    dataset,
    Array.from({ length: limit }, (_, i) => Math.floor((i * dataset.length) / limit)),
  );
}
