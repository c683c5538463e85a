import { type Preprocessing, type PublishedWeights, type WeightsTable, imagenetColours } from '@convkit/core';

// Published weights: data only. `tv_in1k` are torchvision's, with its figures, `ra_in1k` timm's.

const torchvision: Preprocessing = { ...imagenetColours, size: 224, resize: 256, interpolation: 'bilinear' };
const timm: Preprocessing = { ...torchvision, interpolation: 'bicubic' };

const published = (
  name: string,
  preprocessing: Preprocessing,
  accuracy: Pick<PublishedWeights, 'top1' | 'top5'>,
): PublishedWeights => ({
  ...accuracy,
  classes: 'imagenet',
  licence: 'Apache-2.0',
  preprocessing,
  location: { repo: `timm/${name}`, file: 'model.safetensors' },
});

export const imagenetWeights: Readonly<Record<string, WeightsTable>> = {
  densenet121: {
    tv_in1k: published('densenet121.tv_in1k', torchvision, { top1: 0.74434, top5: 0.91972 }),
    ra_in1k: published('densenet121.ra_in1k', timm, { top1: 0.75574, top5: 0.92648 }),
  },
  densenet161: {
    tv_in1k: published('densenet161.tv_in1k', torchvision, { top1: 0.77138, top5: 0.9356 }),
  },
  densenet169: {
    tv_in1k: published('densenet169.tv_in1k', torchvision, { top1: 0.756, top5: 0.92806 }),
  },
  densenet201: {
    tv_in1k: published('densenet201.tv_in1k', torchvision, { top1: 0.76896, top5: 0.9337 }),
  },
};
