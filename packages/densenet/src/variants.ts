import {
  ArgumentError,
  type ModelFactory,
  type Preprocessing,
  cifar10Classes,
  defineModel,
  imagenetColours,
} from '@convkit/core';
import { DenseNet, type DenseNetConfig } from './densenet.js';
import { macs } from './macs.js';
import { imagenetWeights } from './weights.js';

const imagenetPreprocessing: Preprocessing = { ...imagenetColours, size: 224, resize: 256, interpolation: 'bilinear' };
const cifarPreprocessing: Preprocessing = { size: 32, mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] };

const imagenet = {
  growthRate: 32,
  stem: 'imagenet',
  stemChannels: 64,
  bottleneck: 4,
  compression: 0.5,
  dropout: 0,
  recompute: false,
  numClasses: 1000,
  preprocessing: imagenetPreprocessing,
} as const;

const imagenetVariants = {
  densenet121: { ...imagenet, blocks: [6, 12, 24, 16] },
  densenet161: { ...imagenet, blocks: [6, 12, 36, 24], growthRate: 48, stemChannels: 96 },
  densenet169: { ...imagenet, blocks: [6, 12, 32, 32] },
  densenet201: { ...imagenet, blocks: [6, 12, 48, 32] },
} as const satisfies Record<string, DenseNetConfig>;

const cifar = {
  ...imagenet,
  stem: 'small',
  numClasses: 10,
  classes: cifar10Classes,
  preprocessing: cifarPreprocessing,
} as const;

/** The paper's (L, k) for CIFAR: three blocks of (L − 4) / 3 layers, or of (L − 4) / 6 with bottleneck and compression (BC). */
export function cifarDenseNet(depth: number, growthRate: number, kind: 'plain' | 'BC') {
  const bc = kind === 'BC';
  const layers = (depth - 4) / (bc ? 6 : 3);
  if (!Number.isInteger(layers) || layers < 1) {
    const wanted = bc ? '6n + 4 layers (40, 100, 190, 250 …)' : '3n + 4 layers (40, 100 …)';
    throw new ArgumentError(`A CIFAR DenseNet${bc ? '-BC' : ''} has ${wanted}, found depth ${depth}.`);
  }
  return {
    growthRate,
    blocks: [layers, layers, layers],
    stemChannels: bc ? 2 * growthRate : 16,
    bottleneck: bc ? 4 : 0,
    compression: bc ? 0.5 : 1,
  } satisfies Partial<DenseNetConfig>;
}

const cifarVariants = {
  densenet40_k12: { ...cifar, ...cifarDenseNet(40, 12, 'plain') },
  densenet100_k12: { ...cifar, ...cifarDenseNet(100, 12, 'plain') },
  densenet100_k12_bc: { ...cifar, ...cifarDenseNet(100, 12, 'BC') },
  densenet190_k40_bc: { ...cifar, ...cifarDenseNet(190, 40, 'BC') },
  densenet250_k24_bc: { ...cifar, ...cifarDenseNet(250, 24, 'BC') },
} as const satisfies Record<string, DenseNetConfig>;

const about = { package: '@convkit/densenet' } as const;

const imagenetDenseNet = (name: keyof typeof imagenetVariants): ModelFactory<DenseNetConfig, DenseNet> =>
  defineModel<DenseNetConfig, DenseNet>(
    { ...about, name, dataset: 'imagenet', reference: 'torchvision', macs: macs[name], weights: imagenetWeights[name] },
    imagenetVariants[name],
    (config) => new DenseNet(config),
  );

const cifarDenseNetVariant = (name: keyof typeof cifarVariants): ModelFactory<DenseNetConfig, DenseNet> =>
  defineModel<DenseNetConfig, DenseNet>(
    { ...about, name, dataset: 'cifar10', reference: 'Huang et al. 2016, table 2', macs: macs[name] },
    cifarVariants[name],
    (config) => new DenseNet(config),
  );

export const densenet121 = imagenetDenseNet('densenet121');
export const densenet161 = imagenetDenseNet('densenet161');
export const densenet169 = imagenetDenseNet('densenet169');
export const densenet201 = imagenetDenseNet('densenet201');

export const densenet40K12 = cifarDenseNetVariant('densenet40_k12');
export const densenet100K12 = cifarDenseNetVariant('densenet100_k12');
export const densenet100K12Bc = cifarDenseNetVariant('densenet100_k12_bc');
export const densenet190K40Bc = cifarDenseNetVariant('densenet190_k40_bc');
export const densenet250K24Bc = cifarDenseNetVariant('densenet250_k24_bc');

/** Blocks of 6, 12 and 24 layers, as in the first three of DenseNet-121. */
export const densenet88K12Bc = defineModel<DenseNetConfig, DenseNet>(
  { ...about, name: 'densenet88_k12_bc', dataset: 'cifar10', reference: 'JasonWei05/DenseNet', macs: macs.densenet88_k12_bc },
  { ...cifar, growthRate: 12, blocks: [6, 12, 24], stemChannels: 24 },
  (config) => new DenseNet(config),
);

/** Every variant of this package. */
export const models = [
  ...[densenet121, densenet161, densenet169, densenet201],
  ...[densenet40K12, densenet88K12Bc, densenet100K12, densenet100K12Bc, densenet190K40Bc, densenet250K24Bc],
] as const;
