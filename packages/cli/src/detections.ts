import type { Image } from '@convkit/core';
import { type Detection, type Detector, rleArea, rleToString } from '@convkit/core/detection';
import { UsageError, closest } from './errors.js';
import { count } from './format.js';

/** What was found in one picture. */
export interface Found {
  readonly path: string;
  readonly image: Image;
  readonly detections: readonly Detection[];
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** As `--json` gives it: boxes as corners in pixels, masks in COCO's compressed runs. */
export const toJson = ({ path, image, detections }: Found) => ({
  path,
  width: image.width,
  height: image.height,
  detections: detections.map(({ class: index, label, score, box, mask, keypoints }) => ({
    class: index,
    label,
    score: rounded(score, 6),
    box: box.map((value) => rounded(value, 3)),
    ...(mask && { mask: { size: mask.size, counts: rleToString(mask) } }),
    ...(keypoints && {
      keypoints: keypoints.map(({ x, y, score: sure }) => [rounded(x, 3), rounded(y, 3), rounded(sure, 6)]),
    }),
  })),
});

export const tableHeader = (task: Detector['task']): string[] => [
  'image',
  'object',
  'score',
  'x1',
  'y1',
  'x2',
  'y2',
  ...(task === 'segment' ? ['mask'] : task === 'pose' ? ['joints'] : []),
];

/** Rows of the table; a picture without objects has one too. */
export function tableRows({ path, detections }: Found, task: Detector['task']): string[][] {
  if (detections.length === 0)
    return [
      [
        path,
        'nothing found',
        ...tableHeader(task)
          .slice(2)
          .map(() => ''),
      ],
    ];
  return detections.map(({ label, score, box, mask, keypoints }, i) => [
    i === 0 ? path : '',
    label,
    score.toFixed(3),
    ...box.map((value) => value.toFixed(0)),
    ...(task === 'segment' ? [`${count(mask ? rleArea(mask) : 0)} px`] : []),
    ...(task === 'pose' ? [String((keypoints ?? []).filter(({ score: sure }) => sure >= 0.5).length)] : []),
  ]);
}

/** `2 person, 1 dog`: each class with the number of its objects. */
export function tally(detections: readonly Detection[]): string {
  const counts = new Map<string, number>();
  for (const { label } of detections) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, n]) => `${n} ${label}`).join(', ') || 'nothing found';
}

/** Indices of the classes that `--classes` names. Throws UsageError for one that the model does not know. */
export function classIndices(list: string, classes: readonly string[]): number[] {
  return list.split(',').map((part) => {
    const text = part.trim();
    const index = /^\d+$/.test(text) ? Number(text) : classes.findIndex((name) => name.toLowerCase() === text.toLowerCase());
    if (index >= 0 && index < classes.length) return index;
    const near = closest(text, classes);
    const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : `it knows ${classes.length} classes`;
    throw new UsageError(`--classes: the model has no class '${text}'; ${hint}`);
  });
}
