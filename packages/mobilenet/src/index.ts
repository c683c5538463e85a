export { MobileNetV1, DepthwiseSeparable } from './mobilenet-v1.js';
export { MobileNetV2, LinearBottleneck } from './mobilenet-v2.js';
export { MobileNetV3 } from './mobilenet-v3.js';
export type { MobileNetV3Config, MobileNetV3Row } from './mobilenet-v3.js';
export { MobileNetV4 } from './mobilenet-v4.js';
export type { MobileNetV4Block, MobileNetV4Config, MobileNetV4Stage } from './mobilenet-v4.js';
export {
  AttentionBlock,
  ConvBlock,
  FusedInvertedBottleneck,
  LayerScale,
  MultiQueryAttention,
  UniversalInvertedBottleneck,
} from './blocks-v4.js';
export type { AttentionOptions, BlockOptions, DepthwiseKernels } from './blocks-v4.js';
export type { MobileNetConfig } from './config.js';
export { renameKerasV1, renameTimmV2 } from './rename.js';
export {
  mobilenetV1_025,
  mobilenetV1_050,
  mobilenetV1_075,
  mobilenetV1_100,
  mobilenetV1_125,
  mobilenetV2,
  mobilenetV2_035,
  mobilenetV2_050,
  mobilenetV2_075,
  mobilenetV2_140,
  mobilenetV3Large,
  mobilenetV3Small,
  mobilenetV4ConvLarge,
  mobilenetV4ConvMedium,
  mobilenetV4ConvSmall,
  mobilenetV4ConvSmall050,
  mobilenetV4HybridLarge,
  mobilenetV4HybridMedium,
  models,
} from './variants.js';
