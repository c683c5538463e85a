import { join } from 'node:path';
import type { AveragePrecisionResult } from '@convkit/core/detection';
import { writeFileAtomic } from '@convkit/core/node';
import { type DetectionDataset, detectionsToCoco } from '@convkit/datasets';
import { startBackend } from '../backend.js';
import { dataLabel } from '../data.js';
import { openDetection } from '../detection-data.js';
import { type DetectionReport, reportOnDetector } from '../detection-evaluation.js';
import { UsageError } from '../errors.js';
import { count, decimal, table } from '../format.js';
import { loadDetector } from '../model.js';
import type { DetectorFactory } from '../model-packages.js';
import { Output } from '../output.js';
import { confusionSvg } from '../pictures/confusion.js';
import { precisionRecallSvg } from '../pictures/precision-recall.js';
import { Progress } from '../progress.js';
import { type EvalOptions, evaluationProgress } from './eval.js';

/** The score from which on COCO's results are measured. */
const CONFIDENCE = 0.001;

/** `convkit eval` of a detector. */
export async function runDetectionEval(name: string, { info }: DetectorFactory, options: EvalOptions): Promise<void> {
  if (options.mean ?? options.std) throw new UsageError(`${info.name} takes pixels as they are: leave out --mean and --std`);
  const output = new Output(options.json);
  const progress = new Progress(output);
  const data = await openDetection(options, 'test', info.task === 'pose' ? 'person_keypoints' : 'instances', progress);
  const backend = await startBackend(options.backend);
  const { model } = await loadDetector(name, options, progress);
  if (options.size) model.inputSize = [options.size[1], options.size[0]];
  output.print(`model    ${info.name}, input ${model.inputSize[1]}×${model.inputSize[0]}`);
  output.print(`backend  ${backend.reason}`);
  output.print(`data     ${data.name}, ${count(data.length)} images`);
  if (data.notice !== undefined) output.warn(data.notice);

  const { conf: confidence = CONFIDENCE, maxDetections, iou } = options;
  const rules = { confidence, ...(iou !== undefined && { iou }), ...(maxDetections !== undefined && { maxDetections }) };
  let report: DetectionReport;
  try {
    report = await reportOnDetector(model, data, rules, evaluationProgress(progress));
  } finally {
    progress.end();
    model.dispose();
  }

  const { boxes, masks, keypoints, imagesPerSecond } = report;
  const figures = {
    ...boxes.summary,
    ...(masks && { masks: masks.summary }),
    ...(keypoints && { keypoints: keypoints.summary }),
  };
  const about = { model: info.name, data: options.data, backend: backend.name, images: data.length };
  output.print(`\n${classTable(boxes)}`);
  for (const [title, result] of Object.entries({ boxes, masks, keypoints })) {
    if (result) output.print(`\n${title}\n${list(result.summary)}`);
  }
  output.print(`\nspeed    ${decimal(imagesPerSecond)} images/s`);
  const result = { ...about, ...figures, imagesPerSecond };
  if (options.out !== undefined) {
    await writeReport(options.out, `${info.name} on ${dataLabel(options.data)}`, data, report, result);
    output.print(`written  to ${options.out}: eval.json, detections.json, precision-recall.svg, confusion.svg`);
  }
  output.result(result);
}

/** `apSmall` → AP small; −1 means that there is no such object. */
const list = (summary: object): string =>
  Object.entries(summary as Record<string, number>)
    .map(([name, value]) => {
      const [, kind, range] = /^(ap|ar)(.*)$/.exec(name)!;
      return `  ${`${kind.toUpperCase()} ${range.toLowerCase()}`.padEnd(10)} ${value < 0 ? 'no objects' : value.toFixed(4)}`;
    })
    .join('\n');

/** AP of each class with objects; of many classes the ten that are found worst. */
function classTable({ perClass }: AveragePrecisionResult): string {
  const present = perClass.filter(({ objects }) => objects > 0);
  const many = present.length > 25;
  const shown = many ? [...present].sort((a, b) => a.ap - b.ap).slice(0, 10) : present;
  const rows = shown.map(({ label, ap, ap50, objects, detections }) => [
    label,
    ap.toFixed(3),
    ap50.toFixed(3),
    count(objects),
    count(detections),
  ]);
  return table([many ? 'class (worst ten)' : 'class', 'AP', 'AP50', 'objects', 'detections'], rows);
}

async function writeReport(
  folder: string,
  title: string,
  data: DetectionDataset,
  { boxes, masks, keypoints, confusion, detections }: DetectionReport,
  result: object,
): Promise<void> {
  const write = (name: string, text: string): Promise<void> => writeFileAtomic(join(folder, name), text);
  const { curves, perClass, summary } = boxes;
  const subtitle = `AP50 ${summary.ap50.toFixed(3)}, AP ${summary.ap.toFixed(3)}; ${count(data.length)} images`;
  await write('precision-recall.svg', await precisionRecallSvg({ title, subtitle, curves }));
  await write(
    'confusion.svg',
    await confusionSvg({ title, subtitle: 'objects at IoU above 0.45, score from 0.25', ...confusion }),
  );
  await write('eval.json', `${JSON.stringify({ ...result, perClass }, null, 2)}\n`);
  const { categoryIds } = data as { categoryIds?: readonly number[] };
  const ids = categoryIds ?? data.classes.map((_, i) => i);
  const type = masks ? 'segm' : keypoints ? 'keypoints' : 'bbox';
  const lines = detections.flatMap(({ id, detections: found }) => detectionsToCoco(id as number, found, ids, type));
  await write('detections.json', `[\n${lines.map((line) => JSON.stringify(line)).join(',\n')}\n]\n`);
}
