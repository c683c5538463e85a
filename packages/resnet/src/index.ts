export { ResNet } from './resnet.js';
export type { ResNetConfig } from './resnet.js';
export { CifarBlock, CifarResNet } from './cifar-resnet.js';
export type { CifarResNetConfig, Shortcut } from './cifar-resnet.js';
export { SmallResNet } from './small-resnet.js';
export { Cbam } from './attention.js';
export type { Attention } from './attention.js';
export { BasicBlock, Bottleneck } from './blocks.js';
export type { BlockOptions } from './blocks.js';
export {
  models,
  resnet101,
  resnet110,
  resnet152,
  resnet18,
  resnet18d,
  resnet20,
  resnet32,
  resnet34,
  resnet44,
  resnet50,
  resnet50d,
  resnet56,
  resnet8,
  resnext101_32x8d,
  resnext101_64x4d,
  resnext50_32x4d,
  seresnet50,
  smallResnet,
  wideResnet101_2,
  wideResnet50_2,
} from './variants.js';
