import {
  type CommonConfig,
  type KnownDataset,
  type ModelFactory,
  type Preprocessing,
  cocoClasses,
  defineModel,
  vocClasses,
} from '@convkit/core';
import { darknet19 as darknet19Cfg } from './cfg/darknet19.js';
import { darknet53 as darknet53Cfg } from './cfg/darknet53.js';
import { yolov1Tiny as yolov1TinyCfg } from './cfg/yolov1-tiny.js';
import { yolov1 as yolov1Cfg } from './cfg/yolov1.js';
import { yolov2TinyVoc as yolov2TinyVocCfg } from './cfg/yolov2-tiny-voc.js';
import { yolov2Tiny as yolov2TinyCfg } from './cfg/yolov2-tiny.js';
import { yolov2Voc as yolov2VocCfg } from './cfg/yolov2-voc.js';
import { yolov2 as yolov2Cfg } from './cfg/yolov2.js';
import { yolov3Spp as yolov3SppCfg } from './cfg/yolov3-spp.js';
import { yolov3Tiny as yolov3TinyCfg } from './cfg/yolov3-tiny.js';
import { yolov3Voc as yolov3VocCfg } from './cfg/yolov3-voc.js';
import { yolov3 as yolov3Cfg } from './cfg/yolov3.js';
import { yolov4Csp as yolov4CspCfg } from './cfg/yolov4-csp.js';
import { yolov4Tiny3l as yolov4Tiny3lCfg } from './cfg/yolov4-tiny-3l.js';
import { yolov4Tiny as yolov4TinyCfg } from './cfg/yolov4-tiny.js';
import { yolov4 as yolov4Cfg } from './cfg/yolov4.js';
import { yolov4xMish as yolov4xMishCfg } from './cfg/yolov4x-mish.js';
import { DarknetClassifier } from './classifier.js';
import { DarknetDetector, type DarknetDetectorConfig, type Fit } from './detector.js';
import { unitPixels } from './from-config.js';
import { darknetImagenetClasses } from './imagenet-names.js';
import { macs } from './macs.js';
import { parseConfig } from './parse-config.js';
import { decodeDarknetWeights } from './weights.js';
import { weightsOf } from './published.js';

const about = { package: '@convkit/yolo', reference: 'Darknet' } as const;

const reader = (cfg: string) => ({
  decodeWeights: (bytes: Uint8Array, file: string) => decodeDarknetWeights(bytes, () => parseConfig(cfg), file),
});

interface Published {
  readonly size: number;
  readonly dataset: Extract<KnownDataset, 'coco' | 'voc'>;
  readonly fit: Fit;
}

function detector(
  name: string,
  cfg: string,
  { size, dataset, fit }: Published,
): ModelFactory<DarknetDetectorConfig, DarknetDetector> {
  const classes = { coco: cocoClasses, voc: vocClasses }[dataset];
  const preprocessing: Preprocessing = { ...unitPixels, size };
  return defineModel<DarknetDetectorConfig, DarknetDetector>(
    { ...about, name, task: 'detect', dataset, macs: macs[name], ...weightsOf(name, { dataset, preprocessing }) },
    { preprocessing, numClasses: classes.length, classes, fit },
    (config) => new DarknetDetector(parseConfig(cfg), config),
    reader(cfg),
  );
}

/** Backbones, which Darknet trained on ImageNet; their outputs are in the order of its own list of classes. */
function classifier(name: string, cfg: string, size: number): ModelFactory<CommonConfig, DarknetClassifier> {
  return defineModel<CommonConfig, DarknetClassifier>(
    { ...about, name, task: 'classify', macs: macs[name] },
    { preprocessing: { ...unitPixels, size, resize: size }, numClasses: 1000, classes: darknetImagenetClasses },
    (config) => new DarknetClassifier(parseConfig(cfg), config),
    reader(cfg),
  );
}

// How images are fitted is what the program of the authors does: see DarknetDetectorConfig.
export const yolov1 = detector('yolov1', yolov1Cfg, { size: 448, dataset: 'voc', fit: 'stretch' });
export const yolov1Tiny = detector('yolov1-tiny', yolov1TinyCfg, { size: 448, dataset: 'voc', fit: 'stretch' });
export const yolov2 = detector('yolov2', yolov2Cfg, { size: 608, dataset: 'coco', fit: 'letterbox' });
export const yolov2Voc = detector('yolov2-voc', yolov2VocCfg, { size: 416, dataset: 'voc', fit: 'letterbox' });
export const yolov2Tiny = detector('yolov2-tiny', yolov2TinyCfg, { size: 416, dataset: 'coco', fit: 'letterbox' });
export const yolov2TinyVoc = detector('yolov2-tiny-voc', yolov2TinyVocCfg, { size: 416, dataset: 'voc', fit: 'letterbox' });
export const yolov3 = detector('yolov3', yolov3Cfg, { size: 416, dataset: 'coco', fit: 'letterbox' });
export const yolov3Voc = detector('yolov3-voc', yolov3VocCfg, { size: 416, dataset: 'voc', fit: 'letterbox' });
export const yolov3Spp = detector('yolov3-spp', yolov3SppCfg, { size: 608, dataset: 'coco', fit: 'letterbox' });
export const yolov3Tiny = detector('yolov3-tiny', yolov3TinyCfg, { size: 416, dataset: 'coco', fit: 'letterbox' });
export const yolov4 = detector('yolov4', yolov4Cfg, { size: 608, dataset: 'coco', fit: 'stretch' });
export const yolov4Csp = detector('yolov4-csp', yolov4CspCfg, { size: 512, dataset: 'coco', fit: 'letterbox' });
export const yolov4xMish = detector('yolov4x-mish', yolov4xMishCfg, { size: 640, dataset: 'coco', fit: 'letterbox' });
export const yolov4Tiny = detector('yolov4-tiny', yolov4TinyCfg, { size: 416, dataset: 'coco', fit: 'stretch' });
export const yolov4Tiny3l = detector('yolov4-tiny-3l', yolov4Tiny3lCfg, { size: 608, dataset: 'coco', fit: 'stretch' });
export const darknet19 = classifier('darknet19', darknet19Cfg, 256);
export const darknet53 = classifier('darknet53', darknet53Cfg, 256);

export const darknetDetectors: readonly ModelFactory<DarknetDetectorConfig, DarknetDetector>[] = [
  ...[yolov1, yolov1Tiny],
  ...[yolov2, yolov2Voc, yolov2Tiny, yolov2TinyVoc],
  ...[yolov3, yolov3Voc, yolov3Spp, yolov3Tiny],
  ...[yolov4, yolov4Csp, yolov4xMish, yolov4Tiny, yolov4Tiny3l],
];

export const darknetClassifiers: readonly ModelFactory<CommonConfig, DarknetClassifier>[] = [darknet19, darknet53];
