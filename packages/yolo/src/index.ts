import { darknetClassifiers, darknetDetectors } from './darknet/variants.js';
import { v8Classifiers, v8Detectors } from './v8/variants.js';

// Darknet: YOLOv1 to YOLOv4, and any .cfg file
export { fromConfig } from './darknet/from-config.js';
export type { DarknetFactory } from './darknet/from-config.js';
export { DarknetDetector } from './darknet/detector.js';
export type { DarknetDetectorConfig, Fit } from './darknet/detector.js';
export { DarknetClassifier } from './darknet/classifier.js';
export { DarknetNetwork } from './darknet/network.js';
export type { Head } from './darknet/network.js';
export type { Layer } from './darknet/layers.js';
export type { MapShape } from './darknet/shapes.js';
export { parseConfig } from './darknet/parse-config.js';
export type {
  DarknetConfig,
  DetectionConfig,
  HeadConfig,
  LayerConfig,
  NetConfig,
  RegionConfig,
  YoloConfig,
} from './darknet/config.js';
export { encodeDarknetWeights, readDarknetHeader, readDarknetWeights } from './darknet/weights.js';
export type { DarknetHeader, DarknetWeights } from './darknet/weights.js';
export { loadDarknetBackbone } from './darknet/backbone.js';
export type { DarknetBackbone } from './darknet/backbone.js';
export {
  darknet19,
  darknet53,
  yolov1,
  yolov1Tiny,
  yolov2,
  yolov2Tiny,
  yolov2TinyVoc,
  yolov2Voc,
  yolov3,
  yolov3Spp,
  yolov3Tiny,
  yolov3Voc,
  yolov4,
  yolov4Csp,
  yolov4Tiny,
  yolov4Tiny3l,
  yolov4xMish,
} from './darknet/variants.js';

// YOLOv8
export { YoloV8 } from './v8/yolov8.js';
export type { YoloV8Config } from './v8/yolov8.js';
export { YoloV8Classifier } from './v8/classify.js';
export type { YoloV8ClassifierConfig } from './v8/classify.js';
export { anchorPoints } from './v8/output.js';
export type { AnchorPoints, YoloV8Output } from './v8/output.js';
export type { Scale } from './v8/net.js';
export {
  yolov8l,
  yolov8lCls,
  yolov8lPose,
  yolov8lSeg,
  yolov8m,
  yolov8mCls,
  yolov8mPose,
  yolov8mSeg,
  yolov8n,
  yolov8nCls,
  yolov8nPose,
  yolov8nSeg,
  yolov8s,
  yolov8sCls,
  yolov8sPose,
  yolov8sSeg,
  yolov8x,
  yolov8xCls,
  yolov8xPose,
  yolov8xSeg,
} from './v8/variants.js';

export { assignTaskAligned } from './train/task-aligned.js';
export type { AssignerOptions, Assignment, Predictions } from './train/task-aligned.js';
export { yoloV8Components, yoloV8Loss } from './train/v8-loss.js';
export type { YoloV8Components, YoloV8LossOptions } from './train/v8-loss.js';
export { darknetComponents, darknetLoss } from './train/darknet-loss.js';
export type { DarknetComponents } from './train/darknet-loss.js';

/** Every variant of this package. */
export const models = [...darknetDetectors, ...darknetClassifiers, ...v8Detectors, ...v8Classifiers] as const;
