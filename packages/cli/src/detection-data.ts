import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type DetectionDataset, syntheticDetection } from '@convkit/datasets';
import { type CocoDetectionOptions, type CocoProgress, cocoDetection, vocDetection, yoloDetection } from '@convkit/datasets/node';
import type { DataOptions } from './data.js';
import { UsageError, closest } from './errors.js';
import { decimal, mebibytes } from './format.js';
import type { Progress } from './progress.js';

/** Images of the drawn data set: enough for a small net to learn it. */
const syntheticSizes = { train: 800, test: 200 } as const;

/** Which annotations of COCO: boxes and masks of all classes, or people with their keypoints. */
export type Annotations = NonNullable<CocoDetectionOptions['kind']>;

/**
 * Images with objects: COCO, the drawn ones, or a folder with `instances*.json` or `annotations/` as COCO has them, a data.yaml with YOLO's
 * labels, or Annotations/ and JPEGImages/ as PASCAL VOC has them.
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
  const files = await openFiles(data, data === 'coco' ? dataDir : data, split, annotations, progress);
  progress.clear();
  return limit === undefined || limit >= files.length ? files : { ...files, length: limit, ids: files.ids.slice(0, limit) };
}

async function openFiles(
  data: string,
  dir: string | undefined,
  split: 'train' | 'test',
  annotations: Annotations,
  progress: Progress,
): Promise<DetectionDataset> {
  const names = data !== 'coco' && existsSync(data) && statSync(data).isDirectory() ? readdirSync(data) : [];
  if (isYaml(data) || names.some(isYaml)) return yoloDetection({ dir: data, split: split === 'train' ? 'train' : 'val' });
  if (names.includes('JPEGImages')) {
    const lists = split === 'train' ? ['trainval', 'train'] : ['test', 'val'];
    const list = lists.find((name) => existsSync(join(data, 'ImageSets/Main', `${name}.txt`)));
    return vocDetection({ dir: data, ...(list !== undefined && { split: list }) });
  }
  if (data === 'coco' || names.includes('annotations') || names.some((name) => name.endsWith('.json'))) {
    return cocoDetection({
      split: split === 'train' ? 'train' : 'val',
      kind: annotations,
      ...(dir !== undefined && { dir }),
      onProgress: showDownload(progress),
    });
  }
  const near = closest(data, ['coco', 'synthetic']);
  throw new UsageError(
    `--data ${data}: expected coco, synthetic or a folder with instances*.json and images/, a data.yaml, or JPEGImages/${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`,
  );
}

const isYaml = (name: string): boolean => /\.ya?ml$/i.test(name);

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
