import type { Task } from '@convkit/core';
import type { DetectionDataset } from '@convkit/datasets';
import type { DataOptions } from './data.js';
import { openDetection } from './detection-data.js';
import type { Progress } from './progress.js';

/** `drawn`: the embedded images; `objects`: COCO and everything in its format. */
export type ObjectDataKind = 'drawn' | 'objects';

/** Images with objects, to train on and held out. */
export interface DetectionTraining {
  kind: ObjectDataKind;
  train: DetectionDataset;
  validation: DetectionDataset;
  /** Side of the images, when all have the same. */
  side?: number;
}

/** Of a folder without a split of its own, every so many-th image is held out. */
const HELD_OUT = 5;

export async function openDetectionTraining(
  options: DataOptions,
  task: Task | undefined,
  progress: Progress,
): Promise<DetectionTraining> {
  const annotations = task === 'pose' ? 'person_keypoints' : 'instances';
  const train = await openDetection(options, 'train', annotations, progress);
  const validation = await openDetection(options, 'test', annotations, progress);
  if (options.data === 'synthetic') return { kind: 'drawn', train, validation, side: 128 };
  if (train.ids.join() !== validation.ids.join()) return { kind: 'objects', train, validation };
  const indices = Array.from(train.ids.keys());
  const isHeldOut = (i: number): boolean => i % HELD_OUT === HELD_OUT - 1;
  return {
    kind: 'objects',
    train: part(
      train,
      indices.filter((i) => !isHeldOut(i)),
    ),
    validation: part(train, indices.filter(isHeldOut)),
  };
}

/** The images at these indices. */
function part(dataset: DetectionDataset, indices: readonly number[]): DetectionDataset {
  return {
    name: dataset.name,
    classes: dataset.classes,
    length: indices.length,
    ids: indices.map((i) => dataset.ids[i]),
    load: (i) => dataset.load(indices[i]),
    ...(dataset.objects && { objects: (i: number) => dataset.objects?.(indices[i]) ?? [] }),
  };
}
