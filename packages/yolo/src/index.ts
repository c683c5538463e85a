import { v8Classifiers, v8Detectors } from './v8/variants.js';

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

/** Every variant of this package. */
export const models = [...v8Detectors, ...v8Classifiers] as const;
