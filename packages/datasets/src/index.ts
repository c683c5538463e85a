export { subset } from './dataset.js';
export type { Dataset, PackedImages } from './dataset.js';
export { cifar10Classes } from '@convkit/core';
export { CifarRecords } from './records.js';
export { shapeClasses } from './shapes.js';
export { syntheticShapes } from './synthetic.js';
export type { CifarRecordsOptions } from './records.js';
export type { SyntheticOptions } from './synthetic.js';
export { loader } from './loader.js';
export type { LoaderOptions, Loader } from './loader.js';
export type { Augmentation } from './transforms.js';

// Detection
export type { DetectionDataset, DetectionSample } from './detection/dataset.js';
export { syntheticDetection } from './detection/synthetic.js';
export type { SyntheticDetectionOptions } from './detection/synthetic.js';
export { detectionLoader } from './detection/loader.js';
export type { DetectionLoaderOptions } from './detection/loader.js';
export type { DetectionAugmentation } from './detection/augmentation.js';
export { cocoCategoryIds, darknetClassNames, matchClasses } from './detection/coco-classes.js';
export { detectionsFromCoco, detectionsToCoco } from './detection/coco-results.js';
export type { CocoResult } from './detection/coco-results.js';
export { boxSizes, findAnchors } from './detection/anchors.js';
export type { AnchorOptions, Anchors, BoxSize } from './detection/anchors.js';
