import { type Preprocessing, type PublishedWeights, type WeightsTable, symmetricColours } from '@convkit/core';
import type { GoogLeNetConfig } from './googlenet.js';
import type { InceptionV2Config } from './inception-v2.js';

// Published weights: data only. `tv_in1k` are torchvision's, with its figures, the rest timm's and Cadene's, with theirs.

type Accuracy = Pick<PublishedWeights, 'top1' | 'top5'>;

const torchvision = (file: string, preprocessing: Preprocessing, accuracy: Accuracy): PublishedWeights => ({
  ...accuracy,
  classes: 'imagenet',
  licence: 'BSD-3-Clause',
  preprocessing,
  location: {
    url: `https://download.pytorch.org/models/${file}.pth`,
    sha256: file.slice(file.lastIndexOf('-') + 1), // torchvision's file names end with its first digits
  },
});

const timm = (name: string, resize: number, accuracy: Accuracy): PublishedWeights => ({
  ...accuracy,
  classes: 'imagenet',
  licence: 'Apache-2.0',
  preprocessing: { ...symmetricColours, size: 299, resize, interpolation: 'bicubic' },
  location: { repo: `timm/${name}`, file: 'model.safetensors' },
});

/** The file has auxiliary heads, so the net gets them too; torchvision says that they are not trained. */
export const googlenetWeights: WeightsTable<GoogLeNetConfig> = {
  tv_in1k: {
    ...torchvision(
      'googlenet-1378be20',
      { ...symmetricColours, size: 224, resize: 256, interpolation: 'bilinear' },
      { top1: 0.69778, top5: 0.8953 },
    ),
    config: { auxiliary: true },
  },
};

export const inceptionV2Weights: WeightsTable<InceptionV2Config> = {
  cadene: {
    classes: 'imagenet',
    preprocessing: {
      size: 224,
      resize: 256,
      interpolation: 'bilinear',
      mean: [128 / 255, 117 / 255, 104 / 255],
      std: [1 / 255, 1 / 255, 1 / 255],
    },
    config: { bgr: true },
    location: { url: 'http://data.lip6.fr/cadene/pretrainedmodels/bn_inception-52deb4733.pth', sha256: '52deb4733' },
  },
};

/** The file has the auxiliary head. */
export const inceptionV3Weights: WeightsTable = {
  tv_in1k: torchvision(
    'inception_v3_google-0cc3c7bd',
    { ...symmetricColours, size: 299, resize: 342, interpolation: 'bilinear' },
    { top1: 0.77294, top5: 0.9345 },
  ),
};

export const inceptionV3NoAuxWeights: WeightsTable = {
  tf_in1k: timm('inception_v3.tf_in1k', 341, { top1: 0.77866 }),
};

export const inceptionV4Weights: WeightsTable = {
  tf_in1k: timm('inception_v4.tf_in1k', 341, { top1: 0.80144, top5: 0.94982 }),
};

export const inceptionResnetV2Weights: WeightsTable = {
  tf_in1k: timm('inception_resnet_v2.tf_in1k', 333, { top1: 0.80434, top5: 0.95312 }),
};
