import { type Preprocessing, type PublishedWeights, type WeightsTable, imagenetColours } from '@convkit/core';

// Published weights: data only. Accuracies are those that torchvision and timm publish for their own files.
// Neither publishes hashes of these; what the Hub says of a file's content is checked on download.

const about = { classes: 'imagenet', licence: 'BSD-3-Clause' } as const;
const resized = (resize: number): Preprocessing => ({ ...imagenetColours, size: 224, resize, interpolation: 'bilinear' });

type Accuracy = Pick<PublishedWeights, 'top1' | 'top5'>;

const timm = (name: string): PublishedWeights['location'] => ({ repo: `timm/${name}`, file: 'model.safetensors' });

/** torchvision's weights, in timm's repositories: V1, the original recipe, and V2, the longer one. */
const v1 = (name: string, accuracy: Accuracy): PublishedWeights => ({
  ...about,
  ...accuracy,
  location: timm(`${name}.tv_in1k`),
  preprocessing: resized(256),
});
const v2 = (name: string, accuracy: Accuracy): PublishedWeights => ({
  ...about,
  ...accuracy,
  location: timm(`${name}.tv2_in1k`),
  preprocessing: resized(232),
});

/** timm's own, with RandAugment. */
const ra2 = (name: string, accuracy: Accuracy): PublishedWeights => ({
  ...accuracy,
  classes: 'imagenet',
  licence: 'Apache-2.0',
  location: timm(`${name}.ra2_in1k`),
  preprocessing: { ...resized(256), interpolation: 'bicubic' },
});

/** Those that candle's examples load; where they were trained is not stated. */
const candle = (name: string): PublishedWeights => ({
  classes: 'imagenet',
  location: { repo: 'lmz/candle-resnet', file: `${name}.safetensors` },
  preprocessing: resized(224),
});

export const imagenetWeights: Readonly<Record<string, WeightsTable>> = {
  resnet18: {
    tv_in1k: v1('resnet18', { top1: 0.69758, top5: 0.89078 }),
    candle: candle('resnet18'),
  },
  resnet34: {
    tv_in1k: v1('resnet34', { top1: 0.73314, top5: 0.9142 }),
    candle: candle('resnet34'),
  },
  resnet50: {
    tv_in1k: v1('resnet50', { top1: 0.7613, top5: 0.92862 }),
    tv2_in1k: v2('resnet50', { top1: 0.80858, top5: 0.95434 }),
    candle: candle('resnet50'),
  },
  resnet101: {
    tv_in1k: v1('resnet101', { top1: 0.77374, top5: 0.93546 }),
    tv2_in1k: v2('resnet101', { top1: 0.81886, top5: 0.9578 }),
    candle: candle('resnet101'),
  },
  resnet152: {
    tv_in1k: v1('resnet152', { top1: 0.78312, top5: 0.94046 }),
    tv2_in1k: v2('resnet152', { top1: 0.82284, top5: 0.96002 }),
    candle: candle('resnet152'),
  },
  resnext50_32x4d: {
    tv_in1k: v1('resnext50_32x4d', { top1: 0.77618, top5: 0.93698 }),
    tv2_in1k: v2('resnext50_32x4d', { top1: 0.81198, top5: 0.9534 }),
  },
  resnext101_32x8d: {
    tv_in1k: v1('resnext101_32x8d', { top1: 0.79312, top5: 0.94526 }),
    tv2_in1k: v2('resnext101_32x8d', { top1: 0.82834, top5: 0.96228 }),
  },
  resnext101_64x4d: {
    // The only recipe of this variant is the longer one.
    tv_in1k: { ...v2('resnext101_64x4d', { top1: 0.83246, top5: 0.96454 }), location: timm('resnext101_64x4d.tv_in1k') },
  },
  wide_resnet50_2: {
    tv_in1k: v1('wide_resnet50_2', { top1: 0.78468, top5: 0.94086 }),
    tv2_in1k: v2('wide_resnet50_2', { top1: 0.81602, top5: 0.95758 }),
  },
  wide_resnet101_2: {
    tv_in1k: v1('wide_resnet101_2', { top1: 0.78848, top5: 0.94284 }),
    tv2_in1k: v2('wide_resnet101_2', { top1: 0.8251, top5: 0.9602 }),
  },
  resnet18d: { ra2_in1k: ra2('resnet18d', { top1: 0.72296, top5: 0.90682 }) },
  resnet50d: { ra2_in1k: ra2('resnet50d', { top1: 0.80546, top5: 0.9516 }) },
  seresnet50: { ra2_in1k: ra2('seresnet50', { top1: 0.8026, top5: 0.95068 }) },
};

/** Trained in `DataParallel`, which puts `module.` before each name. */
const akamaster = (file: string, top1: number): { akamaster: PublishedWeights } => ({
  akamaster: {
    classes: 'cifar10',
    licence: 'BSD-2-Clause',
    top1,
    location: {
      url: `https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models/${file}.th`,
      sha256: file.slice(file.lastIndexOf('-') + 1), // the file names end with its first digits
    },
    preprocessing: { ...imagenetColours, size: 32 },
    rename: (name) => name.replace(/^module\./, ''),
  },
});

export const cifarWeights: Readonly<Record<string, WeightsTable>> = {
  resnet20: akamaster('resnet20-12fca82f', 0.9173),
  resnet32: akamaster('resnet32-d509ac18', 0.9263),
  resnet44: akamaster('resnet44-014dd654', 0.931),
  resnet56: akamaster('resnet56-4bfd9763', 0.9339),
  resnet110: akamaster('resnet110-1d1ed7c2', 0.9368),
};
