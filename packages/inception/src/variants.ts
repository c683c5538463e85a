import { type ModelFactory, type Preprocessing, defineModel, symmetricColours } from '@convkit/core';
import { GoogLeNet, type GoogLeNetConfig } from './googlenet.js';
import type { Branch } from './inception-module.js';
import { InceptionResNetV1, type InceptionResNetV1Config } from './inception-resnet-v1.js';
import { InceptionResNetV2, type InceptionResNetV2Config } from './inception-resnet-v2.js';
import { InceptionV2, type InceptionV2Config } from './inception-v2.js';
import { InceptionV3, type InceptionV3Config } from './inception-v3.js';
import { InceptionV4, type InceptionV4Config } from './inception-v4.js';
import { macs } from './macs.js';
import {
  googlenetWeights,
  inceptionResnetV2Weights,
  inceptionV2Weights,
  inceptionV3NoAuxWeights,
  inceptionV3Weights,
  inceptionV4Weights,
} from './weights.js';

/** A row of the GoogLeNet paper's table 1; torchvision's weights have a 3×3 where the paper has its 5×5. */
const row = (
  [one, reduce3, three, reduce5, five, pool]: readonly [number, number, number, number, number, number],
  type: '3x3' | '5x5',
): readonly Branch[] => [
  { type: '1x1', channels: one },
  { type: '3x3', reduce: reduce3, channels: three },
  { type, reduce: reduce5, channels: five },
  { type: 'pool', pool: 'max', channels: pool },
];

/** The modules of the GoogLeNet paper, with its 5×5 filters or with 3×3 in their place. */
export const googlenetModules = (type: '3x3' | '5x5'): GoogLeNetConfig['modules'] => ({
  '3a': row([64, 96, 128, 16, 32, 32], type),
  '3b': row([128, 128, 192, 32, 96, 64], type),
  '4a': row([192, 96, 208, 16, 48, 64], type),
  '4b': row([160, 112, 224, 24, 64, 64], type),
  '4c': row([128, 128, 256, 24, 64, 64], type),
  '4d': row([112, 144, 288, 32, 64, 64], type),
  '4e': row([256, 160, 320, 32, 128, 128], type),
  '5a': row([256, 160, 320, 32, 128, 128], type),
  '5b': row([384, 192, 384, 48, 128, 128], type),
});

const googlenetConfig: GoogLeNetConfig = {
  modules: googlenetModules('3x3'),
  auxiliary: false,
  dropout: 0.2,
  auxiliaryDropout: 0.7,
  transformInput: false,
  numClasses: 1000,
  // What torchvision writes as ImageNet's mean and deviation plus `transform_input` is this too.
  preprocessing: { ...symmetricColours, size: 224, resize: 256, interpolation: 'bilinear' },
};

type Double = readonly [reduce: number, channels: number];

/** A module of BN-Inception: 1×1, 3×3, two 3×3, pooling. */
const bn = (one: number, three: Double, double: Double, pool: 'max' | 'avg', projection: number): readonly Branch[] => [
  { type: '1x1', channels: one },
  { type: '3x3', reduce: three[0], channels: three[1] },
  { type: 'double3x3', reduce: double[0], channels: double[1] },
  { type: 'pool', pool, channels: projection },
];

/** A module that halves the size. */
const bnReduction = (three: Double, double: Double): readonly Branch[] => [
  { type: '3x3', reduce: three[0], channels: three[1], stride: 2 },
  { type: 'double3x3', reduce: double[0], channels: double[1], stride: 2 },
  { type: 'pool', pool: 'max', stride: 2 },
];

const inceptionV2Config: InceptionV2Config = {
  modules: {
    '3a': bn(64, [64, 64], [64, 96], 'avg', 32),
    '3b': bn(64, [64, 96], [64, 96], 'avg', 64),
    '3c': bnReduction([128, 160], [64, 96]),
    '4a': bn(224, [64, 96], [96, 128], 'avg', 128),
    '4b': bn(192, [96, 128], [96, 128], 'avg', 128),
    '4c': bn(160, [128, 160], [128, 160], 'avg', 128),
    '4d': bn(96, [128, 192], [160, 192], 'avg', 128),
    '4e': bnReduction([128, 192], [192, 256]),
    '5a': bn(352, [192, 320], [160, 224], 'avg', 128),
    '5b': bn(352, [192, 320], [192, 224], 'max', 128),
  },
  bgr: false,
  numClasses: 1000,
  preprocessing: {
    size: 224,
    resize: 256,
    interpolation: 'bilinear',
    mean: [128 / 255, 117 / 255, 104 / 255],
    std: [1 / 255, 1 / 255, 1 / 255],
  },
};

const inceptionV3Config: InceptionV3Config = {
  auxiliary: true,
  dropout: 0.5,
  transformInput: false,
  numClasses: 1000,
  preprocessing: { ...symmetricColours, size: 299, resize: 342, interpolation: 'bilinear' },
};

const preprocessing299 = (resize: number): Preprocessing => ({
  ...symmetricColours,
  size: 299,
  resize,
  interpolation: 'bicubic',
});

const inceptionV4Config: InceptionV4Config = {
  blocks: [4, 7, 3],
  dropout: 0,
  numClasses: 1000,
  preprocessing: preprocessing299(341),
};

const inceptionResnetV1Config: InceptionResNetV1Config = {
  blocks: [5, 10, 5],
  embedding: 0,
  dropout: 0.2,
  numClasses: 1000,
  preprocessing: preprocessing299(341),
};

/** The face embedding of FaceNet: `inceptionResnetV1({ ...facenet, numClasses: 8631 })` takes facenet-pytorch's weights. */
export const facenet = {
  embedding: 512,
  dropout: 0.6,
  preprocessing: { size: 160, mean: [0.5, 0.5, 0.5], std: [128 / 255, 128 / 255, 128 / 255] },
} as const satisfies Partial<InceptionResNetV1Config>;

const inceptionResnetV2Config: InceptionResNetV2Config = {
  blocks: [10, 20, 9],
  dropout: 0,
  numClasses: 1000,
  preprocessing: preprocessing299(333),
};

const about = { package: '@convkit/inception', dataset: 'imagenet' } as const;

const googlenetVariant = (name: keyof typeof macs, config: GoogLeNetConfig): ModelFactory<GoogLeNetConfig, GoogLeNet> =>
  defineModel<GoogLeNetConfig, GoogLeNet>(
    { ...about, name, reference: 'torchvision', macs: macs[name], weights: googlenetWeights },
    config,
    (given) => new GoogLeNet(given),
  );

const inceptionV3Variant = (name: keyof typeof macs, config: InceptionV3Config): ModelFactory<InceptionV3Config, InceptionV3> =>
  defineModel<InceptionV3Config, InceptionV3>(
    {
      ...about,
      name,
      reference: 'torchvision',
      macs: macs[name],
      weights: config.auxiliary ? inceptionV3Weights : inceptionV3NoAuxWeights,
    },
    config,
    (given) => new InceptionV3(given),
  );

export const googlenet = googlenetVariant('googlenet', googlenetConfig);
export const googlenetAux = googlenetVariant('googlenet_aux', { ...googlenetConfig, auxiliary: true });

export const inceptionV2 = defineModel<InceptionV2Config, InceptionV2>(
  {
    ...about,
    name: 'inception_v2',
    reference: 'Cadene/pretrained-models.pytorch (bninception)',
    macs: macs.inception_v2,
    weights: inceptionV2Weights,
  },
  inceptionV2Config,
  (config) => new InceptionV2(config),
);

export const inceptionV3 = inceptionV3Variant('inception_v3', inceptionV3Config);
export const inceptionV3NoAux = inceptionV3Variant('inception_v3_no_aux', { ...inceptionV3Config, auxiliary: false });

export const inceptionV4 = defineModel<InceptionV4Config, InceptionV4>(
  { ...about, name: 'inception_v4', reference: 'timm', macs: macs.inception_v4, weights: inceptionV4Weights },
  inceptionV4Config,
  (config) => new InceptionV4(config),
);

export const inceptionResnetV1 = defineModel<InceptionResNetV1Config, InceptionResNetV1>(
  { ...about, name: 'inception_resnet_v1', reference: 'timesler/facenet-pytorch', macs: macs.inception_resnet_v1 },
  inceptionResnetV1Config,
  (config) => new InceptionResNetV1(config),
);

export const inceptionResnetV2 = defineModel<InceptionResNetV2Config, InceptionResNetV2>(
  { ...about, name: 'inception_resnet_v2', reference: 'timm', macs: macs.inception_resnet_v2, weights: inceptionResnetV2Weights },
  inceptionResnetV2Config,
  (config) => new InceptionResNetV2(config),
);

/** Every variant of this package. */
export const models = [
  ...[googlenet, googlenetAux, inceptionV2, inceptionV3, inceptionV3NoAux],
  ...[inceptionV4, inceptionResnetV1, inceptionResnetV2],
] as const;
