import {
  type CommonConfig,
  type ModelFactory,
  type Preprocessing,
  cifar10Classes,
  defineModel,
  imagenetColours,
} from '@convkit/core';
import { CifarResNet, type CifarResNetConfig } from './cifar-resnet.js';
import { macs } from './macs.js';
import { ResNet, type ResNetConfig } from './resnet.js';
import { SmallResNet } from './small-resnet.js';
import { cifarWeights, imagenetWeights } from './weights.js';

const imagenet: Preprocessing = { ...imagenetColours, size: 224, resize: 256, interpolation: 'bilinear' };
/** The published CIFAR weights were trained with ImageNet's mean and deviation. */
const cifar10: Preprocessing = { ...imagenetColours, size: 32 };

const base = {
  numClasses: 1000,
  preprocessing: imagenet,
  groups: 1,
  widthPerGroup: 64,
  zeroInitLast: false,
  stem: 'imagenet',
  shortcut: 'stride',
} as const;

/** ResNet-D: what He et al. 2018 change at stem and shortcuts. */
const typeD = { ...base, stem: 'deep', shortcut: 'mean' } as const;

const imagenetVariants = {
  resnet18: { ...base, block: 'basic', layers: [2, 2, 2, 2] },
  resnet34: { ...base, block: 'basic', layers: [3, 4, 6, 3] },
  resnet50: { ...base, block: 'bottleneck', layers: [3, 4, 6, 3] },
  resnet101: { ...base, block: 'bottleneck', layers: [3, 4, 23, 3] },
  resnet152: { ...base, block: 'bottleneck', layers: [3, 8, 36, 3] },
  resnext50_32x4d: { ...base, block: 'bottleneck', layers: [3, 4, 6, 3], groups: 32, widthPerGroup: 4 },
  resnext101_32x8d: { ...base, block: 'bottleneck', layers: [3, 4, 23, 3], groups: 32, widthPerGroup: 8 },
  resnext101_64x4d: { ...base, block: 'bottleneck', layers: [3, 4, 23, 3], groups: 64, widthPerGroup: 4 },
  resnet18d: { ...typeD, block: 'basic', layers: [2, 2, 2, 2] },
  resnet50d: { ...typeD, block: 'bottleneck', layers: [3, 4, 6, 3] },
  seresnet50: { ...base, block: 'bottleneck', layers: [3, 4, 6, 3], attention: 'se' },
  wide_resnet50_2: { ...base, block: 'bottleneck', layers: [3, 4, 6, 3], widthPerGroup: 128 },
  wide_resnet101_2: { ...base, block: 'bottleneck', layers: [3, 4, 23, 3], widthPerGroup: 128 },
} as const satisfies Record<string, ResNetConfig>;

const cifar = { numClasses: 10, classes: cifar10Classes, preprocessing: cifar10, width: 16, shortcut: 'A' } as const;

const cifarVariants = {
  resnet8: { ...cifar, depth: 8 },
  resnet20: { ...cifar, depth: 20 },
  resnet32: { ...cifar, depth: 32 },
  resnet44: { ...cifar, depth: 44 },
  resnet56: { ...cifar, depth: 56 },
  resnet110: { ...cifar, depth: 110 },
} as const satisfies Record<string, CifarResNetConfig>;

const about = { package: '@convkit/resnet' } as const;

const imagenetResNet = (name: keyof typeof imagenetVariants): ModelFactory<ResNetConfig, ResNet> =>
  defineModel<ResNetConfig, ResNet>(
    {
      ...{ ...about, name, dataset: 'imagenet', reference: /^(resnet\d+d|se)/.test(name) ? 'timm' : 'torchvision' },
      ...{ macs: macs[name], weights: imagenetWeights[name] },
    },
    imagenetVariants[name],
    (config) => new ResNet(config),
  );

const cifarResNet = (name: keyof typeof cifarVariants): ModelFactory<CifarResNetConfig, CifarResNet> =>
  defineModel<CifarResNetConfig, CifarResNet>(
    {
      ...about,
      name,
      dataset: 'cifar10',
      reference: 'akamaster/pytorch_resnet_cifar10',
      macs: macs[name],
      weights: cifarWeights[name],
    },
    cifarVariants[name],
    (config) => new CifarResNet(config),
  );

export const resnet18 = imagenetResNet('resnet18');
export const resnet34 = imagenetResNet('resnet34');
export const resnet50 = imagenetResNet('resnet50');
export const resnet101 = imagenetResNet('resnet101');
export const resnet152 = imagenetResNet('resnet152');
export const resnext50_32x4d = imagenetResNet('resnext50_32x4d');
export const resnext101_32x8d = imagenetResNet('resnext101_32x8d');
export const resnext101_64x4d = imagenetResNet('resnext101_64x4d');
export const resnet18d = imagenetResNet('resnet18d');
export const resnet50d = imagenetResNet('resnet50d');
export const seresnet50 = imagenetResNet('seresnet50');
export const wideResnet50_2 = imagenetResNet('wide_resnet50_2');
export const wideResnet101_2 = imagenetResNet('wide_resnet101_2');

export const resnet8 = cifarResNet('resnet8');
export const resnet20 = cifarResNet('resnet20');
export const resnet32 = cifarResNet('resnet32');
export const resnet44 = cifarResNet('resnet44');
export const resnet56 = cifarResNet('resnet56');
export const resnet110 = cifarResNet('resnet110');

export const smallResnet = defineModel<CommonConfig, SmallResNet>(
  {
    ...about,
    name: 'small_resnet',
    dataset: 'cifar10',
    reference: 'Deep Learning via Rust, section 6.1',
    macs: macs.small_resnet,
  },
  { numClasses: 10, classes: cifar10Classes, preprocessing: cifar10 },
  (config) => new SmallResNet(config),
);

/** Every variant of this package. */
export const models = [
  ...[resnet18, resnet34, resnet50, resnet101, resnet152],
  ...[resnext50_32x4d, resnext101_32x8d, resnext101_64x4d, wideResnet50_2, wideResnet101_2],
  ...[resnet18d, resnet50d, seresnet50],
  ...[resnet8, resnet20, resnet32, resnet44, resnet56, resnet110, smallResnet],
] as const;
