import { type ModelFactory, type Preprocessing, cifar10Classes, defineModel, imagenetColours } from '@convkit/core';
import { macs } from './macs.js';
import { Vgg, type VggConfig, type VggLayer } from './vgg.js';
import { imagenetWeights } from './weights.js';

const imagenetPreprocessing: Preprocessing = { ...imagenetColours, size: 224, resize: 256, interpolation: 'bilinear' };
const cifarPreprocessing: Preprocessing = { size: 32, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] };

/** The paper's table 1, columns A, B, D and E. */
const columns = {
  a: [64, 'pool', 128, 'pool', 256, 256, 'pool', 512, 512, 'pool', 512, 512, 'pool'],
  b: [64, 64, 'pool', 128, 128, 'pool', 256, 256, 'pool', 512, 512, 'pool', 512, 512, 'pool'],
  d: [
    ...([64, 64, 'pool', 128, 128, 'pool', 256, 256, 256, 'pool'] as const),
    ...([512, 512, 512, 'pool', 512, 512, 512, 'pool'] as const),
  ],
  e: [
    ...([64, 64, 'pool', 128, 128, 'pool', 256, 256, 256, 256, 'pool'] as const),
    ...([512, 512, 512, 512, 'pool', 512, 512, 512, 512, 'pool'] as const),
  ],
} as const satisfies Record<string, readonly VggLayer[]>;

const imagenet = {
  batchNorm: false,
  grid: 7,
  hidden: [4096, 4096],
  dropout: 0.5,
  numClasses: 1000,
  preprocessing: imagenetPreprocessing,
} as const;

const imagenetVariants = {
  vgg11: { ...imagenet, layers: columns.a },
  vgg13: { ...imagenet, layers: columns.b },
  vgg16: { ...imagenet, layers: columns.d },
  vgg19: { ...imagenet, layers: columns.e },
  vgg11_bn: { ...imagenet, layers: columns.a, batchNorm: true },
  vgg13_bn: { ...imagenet, layers: columns.b, batchNorm: true },
  vgg16_bn: { ...imagenet, layers: columns.d, batchNorm: true },
  vgg19_bn: { ...imagenet, layers: columns.e, batchNorm: true },
} as const satisfies Record<string, VggConfig>;

const cifar = {
  ...imagenet,
  grid: 1,
  numClasses: 10,
  classes: cifar10Classes,
  preprocessing: cifarPreprocessing,
} as const;

/** The head is 512-4096-4096-10. */
const cifarVariants = {
  vgg11_cifar: { ...cifar, layers: columns.a },
  vgg13_cifar: { ...cifar, layers: columns.b },
  vgg16_cifar: { ...cifar, layers: columns.d },
  vgg19_cifar: { ...cifar, layers: columns.e },
  vgg11_bn_cifar: { ...cifar, layers: columns.a, batchNorm: true },
  vgg13_bn_cifar: { ...cifar, layers: columns.b, batchNorm: true },
  vgg16_bn_cifar: { ...cifar, layers: columns.d, batchNorm: true },
  vgg19_bn_cifar: { ...cifar, layers: columns.e, batchNorm: true },
} as const satisfies Record<string, VggConfig>;

/** The head is 512-10. */
const linear = { ...cifar, hidden: [] } as const;

const linearVariants = {
  vgg11_cifar_linear: { ...linear, layers: columns.a },
  vgg13_cifar_linear: { ...linear, layers: columns.b },
  vgg16_cifar_linear: { ...linear, layers: columns.d },
  vgg19_cifar_linear: { ...linear, layers: columns.e },
  vgg11_bn_cifar_linear: { ...linear, layers: columns.a, batchNorm: true },
  vgg13_bn_cifar_linear: { ...linear, layers: columns.b, batchNorm: true },
  vgg16_bn_cifar_linear: { ...linear, layers: columns.d, batchNorm: true },
  vgg19_bn_cifar_linear: { ...linear, layers: columns.e, batchNorm: true },
} as const satisfies Record<string, VggConfig>;

const imagenetVgg = (name: keyof typeof imagenetVariants) => vgg(name, 'imagenet', 'torchvision', imagenetVariants[name]);
const cifarVgg = (name: keyof typeof cifarVariants) =>
  vgg(name, 'cifar10', 'Deep Learning via Rust, section 6.2', cifarVariants[name]);
const linearVgg = (name: keyof typeof linearVariants) => vgg(name, 'cifar10', 'kuangliu/pytorch-cifar', linearVariants[name]);

function vgg(
  name: keyof typeof macs,
  dataset: 'imagenet' | 'cifar10',
  reference: string,
  config: VggConfig,
): ModelFactory<VggConfig, Vgg> {
  return defineModel<VggConfig, Vgg>(
    { package: '@convkit/vgg', name, dataset, reference, macs: macs[name], weights: imagenetWeights[name] },
    config,
    (given) => new Vgg(given),
  );
}

export const vgg11 = imagenetVgg('vgg11');
export const vgg13 = imagenetVgg('vgg13');
export const vgg16 = imagenetVgg('vgg16');
export const vgg19 = imagenetVgg('vgg19');
export const vgg11Bn = imagenetVgg('vgg11_bn');
export const vgg13Bn = imagenetVgg('vgg13_bn');
export const vgg16Bn = imagenetVgg('vgg16_bn');
export const vgg19Bn = imagenetVgg('vgg19_bn');

export const vgg11Cifar = cifarVgg('vgg11_cifar');
export const vgg13Cifar = cifarVgg('vgg13_cifar');
export const vgg16Cifar = cifarVgg('vgg16_cifar');
export const vgg19Cifar = cifarVgg('vgg19_cifar');
export const vgg11BnCifar = cifarVgg('vgg11_bn_cifar');
export const vgg13BnCifar = cifarVgg('vgg13_bn_cifar');
export const vgg16BnCifar = cifarVgg('vgg16_bn_cifar');
export const vgg19BnCifar = cifarVgg('vgg19_bn_cifar');

export const vgg11CifarLinear = linearVgg('vgg11_cifar_linear');
export const vgg13CifarLinear = linearVgg('vgg13_cifar_linear');
export const vgg16CifarLinear = linearVgg('vgg16_cifar_linear');
export const vgg19CifarLinear = linearVgg('vgg19_cifar_linear');
export const vgg11BnCifarLinear = linearVgg('vgg11_bn_cifar_linear');
export const vgg13BnCifarLinear = linearVgg('vgg13_bn_cifar_linear');
export const vgg16BnCifarLinear = linearVgg('vgg16_bn_cifar_linear');
export const vgg19BnCifarLinear = linearVgg('vgg19_bn_cifar_linear');

/** Every variant of this package. */
export const models = [
  ...[vgg11, vgg13, vgg16, vgg19, vgg11Bn, vgg13Bn, vgg16Bn, vgg19Bn],
  ...[vgg11Cifar, vgg13Cifar, vgg16Cifar, vgg19Cifar, vgg11BnCifar, vgg13BnCifar, vgg16BnCifar, vgg19BnCifar],
  ...[vgg11CifarLinear, vgg13CifarLinear, vgg16CifarLinear, vgg19CifarLinear],
  ...[vgg11BnCifarLinear, vgg13BnCifarLinear, vgg16BnCifarLinear, vgg19BnCifarLinear],
] as const;
