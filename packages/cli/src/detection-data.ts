import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DetectionDataset, syntheticDetection } from '@convkit/datasets';
import { type CocoDetectionOptions, type CocoProgress, cocoDetection } from '@convkit/datasets/node';
import type { DataOptions } from './data.js';
import { UsageError, closest } from './errors.js';
import { decimal, mebibytes } from './format.js';
import type { Progress } from './progress.js';

/** Images of the drawn data set: enough for a small net to learn it. */
const syntheticSizes = { train: 800, test: 200 } as const;

/** Which annotations of COCO: boxes and masks of all classes, or people with their keypoints. */
export type Annotations = NonNullable<CocoDetectionOptions['kind']>;

/**
 * Images with objects: COCO, the drawn ones, or a folder in COCO's format, with `instances*.json` or `annotations/` and images.
 *
 * @throws UsageError for data that is none of these.
 */
export async function openDetection(
  { data, dataDir, limit }: DataOptions,
  split: 'train' | 'test',
  annotations: Annotations,
  progress: Progress,
): Promise<DetectionDataset> {
  if (data === 'synthetic') return syntheticDetection({ split, size: Math.min(limit ?? Infinity, syntheticSizes[split]) });
  const dir = data === 'coco' ? dataDir : data;
  if (data !== 'coco' && !isCocoFolder(data)) {
    const near = closest(data, ['coco', 'synthetic']);
    throw new UsageError(
      `--data ${data}: expected coco, synthetic or a folder with instances*.json and images/${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`,
    );
  }
  const coco = await cocoDetection({
    split: split === 'train' ? 'train' : 'val',
    kind: annotations,
    ...(dir !== undefined && { dir }),
    onProgress: showDownload(progress),
  });
  progress.clear();
  return limit === undefined || limit >= coco.length ? coco : { ...coco, length: limit, ids: coco.ids.slice(0, limit) };
}

const isCocoFolder = (path: string): boolean =>
  existsSync(path) &&
  statSync(path).isDirectory() &&
  (existsSync(join(path, 'annotations')) || readdirSync(path).some((name) => name.endsWith('.json')));

function showDownload(progress: Progress): (state: CocoProgress) => void {
  let [stage, start] = ['', 0];
  return (state) => {
    if (stage !== state.file + state.stage) [stage, start] = [state.file + state.stage, performance.now()];
    const { file, received, total = received } = state;
    const rate = received / ((performance.now() - start) / 1000);
    const label = `${state.stage === 'download' ? 'downloading' : 'unpacking'} ${file}`;
    const details = [mebibytes(received), `${decimal(rate / 2 ** 20)} MiB/s`];
    progress.update({ label, done: received, total, details, secondsLeft: (total - received) / rate });
  };
}
