export { Detector } from './detector.js';
export type { DetectOptions, DetectorOptions, Found, Proposals, Prototypes } from './detector.js';
export type { Box, Candidates, Detection, GroundTruth, Keypoint, Polygons, Rle } from './types.js';
export { nonMaxSuppression } from './nms.js';
export type { Kept, NmsOptions } from './nms.js';
export { letterbox, letterboxDarknet, stretchDarknet, unplaceBox, unplacePoint } from './letterbox.js';
export type { InputSize, LetterboxOptions, NetInput, Placement } from './letterbox.js';
