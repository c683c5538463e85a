export { DenseNet } from './densenet.js';
export type { DenseNetConfig } from './densenet.js';
export { DenseBlock, DenseLayer, Transition } from './blocks.js';
export type { DenseOptions } from './blocks.js';
export {
  cifarDenseNet,
  densenet100K12,
  densenet100K12Bc,
  densenet121,
  densenet161,
  densenet169,
  densenet190K40Bc,
  densenet201,
  densenet250K24Bc,
  densenet40K12,
  densenet88K12Bc,
  models,
} from './variants.js';
