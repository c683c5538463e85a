import { type Preprocessing, type PublishedWeights, type WeightsTable, imagenetColours } from '@convkit/core';

// Published weights: data only. timm's files of the same weights have other shapes (its head is convolutions), so these are torchvision's own.

const preprocessing: Preprocessing = { ...imagenetColours, size: 224, resize: 256, interpolation: 'bilinear' };

const torchvision = (file: string): PublishedWeights['location'] => ({
  url: `https://download.pytorch.org/models/${file}.pth`,
  sha256: file.slice(file.lastIndexOf('-') + 1), // torchvision's file names end with its first digits
});

const tv = (file: string, accuracy: Pick<PublishedWeights, 'top1' | 'top5'>): WeightsTable => ({
  tv_in1k: { ...accuracy, classes: 'imagenet', licence: 'BSD-3-Clause', preprocessing, location: torchvision(file) },
});

export const imagenetWeights: Readonly<Record<string, WeightsTable>> = {
  vgg11: tv('vgg11-8a719046', { top1: 0.6902, top5: 0.88628 }),
  vgg13: tv('vgg13-19584684', { top1: 0.69928, top5: 0.89246 }),
  vgg16: tv('vgg16-397923af', { top1: 0.71592, top5: 0.90382 }),
  vgg19: tv('vgg19-dcbb9e9d', { top1: 0.72376, top5: 0.90876 }),
  vgg11_bn: tv('vgg11_bn-6002323d', { top1: 0.7037, top5: 0.8981 }),
  vgg13_bn: tv('vgg13_bn-abd245e5', { top1: 0.71586, top5: 0.90374 }),
  vgg16_bn: tv('vgg16_bn-6c64b313', { top1: 0.7336, top5: 0.91516 }),
  vgg19_bn: tv('vgg19_bn-c79401a0', { top1: 0.74218, top5: 0.91842 }),
};
