export { EfficientNet } from './efficientnet.js';
export type { EfficientNetConfig, Stage } from './efficientnet.js';
export { FusedMBConv, MBConv } from './blocks.js';
export type { BlockOptions } from './blocks.js';
export { compoundScaling } from './scaling.js';
export type { Scaling, ScalingOptions } from './scaling.js';
export { renameTimm, renameTimmV2, renameTimmV2S } from './rename.js';
export {
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  efficientnetB5,
  efficientnetB6,
  efficientnetB7,
  efficientnetV2L,
  efficientnetV2M,
  efficientnetV2S,
  models,
  tfEfficientnetB0,
  tfEfficientnetB1,
  tfEfficientnetB2,
  tfEfficientnetB3,
  tfEfficientnetB4,
  tfEfficientnetB5,
  tfEfficientnetB6,
  tfEfficientnetB7,
  tfEfficientnetV2L,
  tfEfficientnetV2M,
  tfEfficientnetV2S,
} from './variants.js';
