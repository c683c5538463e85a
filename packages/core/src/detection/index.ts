export { Detector } from './detector.js';
export type { DetectOptions, DetectorOptions, Found, PrepareOptions, Proposals, Prototypes } from './detector.js';
export { evaluateDetector } from './evaluate-detector.js';
export type { EvaluateDetectorOptions, LabelledImage, LabelledImages } from './evaluate-detector.js';
export type { Box, Candidates, Detection, GroundTruth, Keypoint, Polygons, Rle } from './types.js';
export { ciou, clipBox, diou, fromCxcywh, fromXywh, giou, iou, toCxcywh, toXywh } from './boxes.js';
export { nonMaxSuppression } from './nms.js';
export type { Kept, NmsOptions } from './nms.js';
export { letterbox, letterboxDarknet, stretch, stretchDarknet, unplaceBox, unplacePoint } from './letterbox.js';
export type { InputSize, IntoOptions, LetterboxOptions, NetInput, Placement } from './letterbox.js';
export { maskToRle, mergeRles, rleArea, rleBox, rleIou, rleToMask } from './rle.js';
export type { MaskSize } from './rle.js';
export { checkRle, rleFromString, rleToString } from './rle-string.js';
export { polygonsArea, polygonsToRle } from './polygons.js';
export { AveragePrecision, averagePrecision, cocoSigmas } from './average-precision/average-precision.js';
export type {
  AveragePrecisionOptions,
  AveragePrecisionResult,
  ClassPrecision,
  PrecisionRecallCurve,
} from './average-precision/average-precision.js';
export type { AreaRange, AveragePrecisionSummary, EvaluationAxes } from './average-precision/summary.js';
export type { EvaluationType } from './average-precision/overlaps.js';
export { DetectionConfusion, detectionConfusion } from './average-precision/confusion.js';
export type { DetectionConfusionOptions, DetectionConfusionReport } from './average-precision/confusion.js';
export { drawDetections } from './draw/draw.js';
export type { Canvas2D, DrawOptions } from './draw/draw.js';
export { personKeypoints, personSkeleton } from './draw/skeleton.js';
export type { Skeleton } from './draw/skeleton.js';
