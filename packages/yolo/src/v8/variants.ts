import { type ModelFactory, type Preprocessing, cocoClasses, defineModel } from '@convkit/core';
import { YoloV8Classifier, type YoloV8ClassifierConfig } from './classify.js';
import type { Scale } from './net.js';
import { classifierWeights, detectorWeights } from './weights.js';
import { YoloV8, type YoloV8Config } from './yolov8.js';

const scales = {
  n: { depth: 0.33, width: 0.25, maxChannels: 1024 },
  s: { depth: 0.33, width: 0.5, maxChannels: 1024 },
  m: { depth: 0.67, width: 0.75, maxChannels: 768 },
  l: { depth: 1, width: 1, maxChannels: 512 },
  x: { depth: 1, width: 1.25, maxChannels: 512 },
} as const satisfies Record<string, Scale>;

type Size = keyof typeof scales;

/** Pixels are divided by 255, and that is all. */
const plain = { mean: [0, 0, 0], std: [1, 1, 1] } as const;
const detection: Preprocessing = { ...plain, size: 640 };
const classification: Preprocessing = { ...plain, size: 224, resize: 224, interpolation: 'bilinear' };

const about = { package: '@convkit/yolo', reference: 'ultralytics' } as const;

const coco = { preprocessing: detection, numClasses: 80, classes: cocoClasses, keypoints: 0 } as const;
const person = { preprocessing: detection, numClasses: 1, classes: ['person'], keypoints: 17 } as const;

function detector(name: string, size: Size, task: YoloV8Config['task']): ModelFactory<YoloV8Config, YoloV8> {
  const published: YoloV8Config = { ...(task === 'pose' ? person : coco), scale: scales[size], task };
  const dataset = task === 'pose' ? {} : { dataset: 'coco' as const };
  const weights = detectorWeights(name, task, detection);
  return defineModel<YoloV8Config, YoloV8>(
    { ...about, ...dataset, name, task, weights },
    published,
    (config) => new YoloV8(config),
  );
}

/** Nets for classification never cut their channels off. */
function classifier(size: Size): ModelFactory<YoloV8ClassifierConfig, YoloV8Classifier> {
  const name = `yolov8${size}-cls`;
  return defineModel<YoloV8ClassifierConfig, YoloV8Classifier>(
    { ...about, name, dataset: 'imagenet', weights: classifierWeights(name, classification) },
    { preprocessing: classification, numClasses: 1000, scale: { ...scales[size], maxChannels: 1024 } },
    (config) => new YoloV8Classifier(config),
  );
}

export const yolov8n = detector('yolov8n', 'n', 'detect');
export const yolov8s = detector('yolov8s', 's', 'detect');
export const yolov8m = detector('yolov8m', 'm', 'detect');
export const yolov8l = detector('yolov8l', 'l', 'detect');
export const yolov8x = detector('yolov8x', 'x', 'detect');

export const yolov8nSeg = detector('yolov8n-seg', 'n', 'segment');
export const yolov8sSeg = detector('yolov8s-seg', 's', 'segment');
export const yolov8mSeg = detector('yolov8m-seg', 'm', 'segment');
export const yolov8lSeg = detector('yolov8l-seg', 'l', 'segment');
export const yolov8xSeg = detector('yolov8x-seg', 'x', 'segment');

export const yolov8nPose = detector('yolov8n-pose', 'n', 'pose');
export const yolov8sPose = detector('yolov8s-pose', 's', 'pose');
export const yolov8mPose = detector('yolov8m-pose', 'm', 'pose');
export const yolov8lPose = detector('yolov8l-pose', 'l', 'pose');
export const yolov8xPose = detector('yolov8x-pose', 'x', 'pose');

export const yolov8nCls = classifier('n');
export const yolov8sCls = classifier('s');
export const yolov8mCls = classifier('m');
export const yolov8lCls = classifier('l');
export const yolov8xCls = classifier('x');

/** Every YOLOv8 for boxes, masks and poses. */
export const v8Detectors = [
  ...[yolov8n, yolov8s, yolov8m, yolov8l, yolov8x],
  ...[yolov8nSeg, yolov8sSeg, yolov8mSeg, yolov8lSeg, yolov8xSeg],
  ...[yolov8nPose, yolov8sPose, yolov8mPose, yolov8lPose, yolov8xPose],
] as const;

export const v8Classifiers = [yolov8nCls, yolov8sCls, yolov8mCls, yolov8lCls, yolov8xCls] as const;
