import type { Preprocessing, PublishedWeights, WeightsTable } from '@convkit/core';
import type { YoloV8Config } from './yolov8.js';

// Published weights: data only. They are Ultralytics', under the AGPL-3.0, and no part of this project.

const licence = 'AGPL-3.0';

/** Ultralytics' own file: a module that was saved whole. */
const official = (name: string) => ({ url: `https://github.com/ultralytics/assets/releases/download/v8.3.0/${name}.pt` });

/** The files that candle's example loads, with tinygrad's names. */
const candle = (name: string) => ({ repo: 'lmz/candle-yolo-v8', file: `${name}.safetensors` });

export function detectorWeights(name: string, task: YoloV8Config['task'], preprocessing: Preprocessing): WeightsTable {
  const person = { numClasses: 1, classes: ['person'] };
  const about = { classes: 'coco', licence, preprocessing, ...(task === 'pose' && { config: person }) } as const;
  const ultralytics: PublishedWeights = { ...about, location: official(name) };
  return task === 'segment' ? { ultralytics } : { ultralytics, candle: { ...about, location: candle(name) } };
}

/** Top-1 accuracy on ImageNet's validation images. */
const top1: Readonly<Record<string, number>> = {
  'yolov8n-cls': 0.69,
  'yolov8s-cls': 0.738,
  'yolov8m-cls': 0.768,
  'yolov8l-cls': 0.768,
  'yolov8x-cls': 0.79,
};

export const classifierWeights = (name: string, preprocessing: Preprocessing): WeightsTable => ({
  ultralytics: { classes: 'imagenet', licence, preprocessing, top1: top1[name], location: official(name) },
});
