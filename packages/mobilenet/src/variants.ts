import { type ModelFactory, type Preprocessing, defineModel, imagenetColours, symmetricColours } from '@convkit/core';
import type { MobileNetConfig } from './config.js';
import { macs } from './macs.js';
import { MobileNetV1 } from './mobilenet-v1.js';
import { MobileNetV2 } from './mobilenet-v2.js';
import { MobileNetV3, type MobileNetV3Config } from './mobilenet-v3.js';
import { MobileNetV4, type MobileNetV4Config } from './mobilenet-v4.js';
import { convLarge, convMedium, convSmall, hybridLarge, hybridMedium } from './stages-v4.js';
import { weightsOf } from './weights.js';

const torchvision: Preprocessing = { ...imagenetColours, size: 224, resize: 256, interpolation: 'bilinear' };
const timm224: Preprocessing = { ...imagenetColours, size: 224, resize: 256, interpolation: 'bicubic' };
const timm256: Preprocessing = { ...imagenetColours, size: 256, resize: 269, interpolation: 'bicubic' };
const timm384: Preprocessing = { ...imagenetColours, size: 384, resize: 404, interpolation: 'bicubic' };

const base = {
  numClasses: 1000,
  width: 1,
  padding: 'symmetric',
  norm: { eps: 1e-5, momentum: 0.1 },
  dropout: 0,
} as const;

// ---- Version 1 ----

const v1 = { ...base, preprocessing: { ...timm224, ...symmetricColours } } as const;
/** The published weights of the thinner nets are TensorFlow's. */
const v1Tensorflow = {
  ...base,
  padding: 'same',
  norm: { eps: 1e-3, momentum: 0.01 },
  dropout: 1e-3,
  preprocessing: { ...torchvision, ...symmetricColours },
} as const;

const v1Variants = {
  mobilenetv1_025: { ...v1Tensorflow, width: 0.25 },
  mobilenetv1_050: { ...v1Tensorflow, width: 0.5 },
  mobilenetv1_075: { ...v1Tensorflow, width: 0.75 },
  mobilenetv1_100: v1,
  mobilenetv1_125: { ...v1, width: 1.25, preprocessing: { ...v1.preprocessing, resize: 248 } },
} as const satisfies Record<string, MobileNetConfig>;

// ---- Version 2 ----

const v2 = { ...base, dropout: 0.2, preprocessing: torchvision } as const;

const v2Variants = {
  mobilenet_v2: v2,
  mobilenet_v2_035: { ...v2, width: 0.35 },
  mobilenet_v2_050: { ...v2, width: 0.5, preprocessing: timm224 },
  mobilenet_v2_075: { ...v2, width: 0.75 },
  mobilenet_v2_140: { ...v2, width: 1.4, preprocessing: timm224 },
} as const satisfies Record<string, MobileNetConfig>;

// ---- Version 3 ----

const v3 = { ...base, norm: { eps: 1e-3, momentum: 0.01 }, dropout: 0.2, preprocessing: torchvision } as const;

const v3Variants = {
  mobilenet_v3_small: {
    ...v3,
    hidden: 1024,
    rows: [
      [3, 16, 16, 'SE', 'RE', 2],
      [3, 72, 24, '-', 'RE', 2],
      [3, 88, 24, '-', 'RE', 1],
      [5, 96, 40, 'SE', 'HS', 2],
      [5, 240, 40, 'SE', 'HS', 1],
      [5, 240, 40, 'SE', 'HS', 1],
      [5, 120, 48, 'SE', 'HS', 1],
      [5, 144, 48, 'SE', 'HS', 1],
      [5, 288, 96, 'SE', 'HS', 2],
      [5, 576, 96, 'SE', 'HS', 1],
      [5, 576, 96, 'SE', 'HS', 1],
    ],
  },
  mobilenet_v3_large: {
    ...v3,
    hidden: 1280,
    rows: [
      [3, 16, 16, '-', 'RE', 1],
      [3, 64, 24, '-', 'RE', 2],
      [3, 72, 24, '-', 'RE', 1],
      [5, 72, 40, 'SE', 'RE', 2],
      [5, 120, 40, 'SE', 'RE', 1],
      [5, 120, 40, 'SE', 'RE', 1],
      [3, 240, 80, '-', 'HS', 2],
      [3, 200, 80, '-', 'HS', 1],
      [3, 184, 80, '-', 'HS', 1],
      [3, 184, 80, '-', 'HS', 1],
      [3, 480, 112, 'SE', 'HS', 1],
      [3, 672, 112, 'SE', 'HS', 1],
      [5, 672, 160, 'SE', 'HS', 2],
      [5, 960, 160, 'SE', 'HS', 1],
      [5, 960, 160, 'SE', 'HS', 1],
    ],
  },
} as const satisfies Record<string, MobileNetV3Config>;

// ---- Version 4 ----

const v4 = { ...base, stem: 32, head: 1280, activation: 'relu', layerScale: undefined, dropPath: 0 } as const;

const v4Variants = {
  mobilenetv4_conv_small: { ...v4, stages: convSmall, preprocessing: timm224 },
  mobilenetv4_conv_small_050: { ...v4, width: 0.5, stages: convSmall, preprocessing: v1.preprocessing },
  mobilenetv4_conv_medium: { ...v4, stages: convMedium, preprocessing: timm256 },
  mobilenetv4_conv_large: { ...v4, stem: 24, stages: convLarge, preprocessing: timm384 },
  mobilenetv4_hybrid_medium: { ...v4, stages: hybridMedium, layerScale: 1e-5, preprocessing: timm256 },
  mobilenetv4_hybrid_large: {
    ...{ ...v4, stem: 24, stages: hybridLarge, layerScale: 1e-5, preprocessing: timm384 },
    activation: 'gelu',
  },
} as const satisfies Record<string, MobileNetV4Config>;

const about = { package: '@convkit/mobilenet', dataset: 'imagenet' } as const;

const mobilenetV1 = (name: keyof typeof v1Variants): ModelFactory<MobileNetConfig, MobileNetV1> =>
  defineModel<MobileNetConfig, MobileNetV1>(
    { ...about, name, reference: 'timm', macs: macs[name], weights: weightsOf(name, v1Variants[name].preprocessing) },
    v1Variants[name],
    (c) => new MobileNetV1(c),
  );

const mobilenetV2Of = (name: keyof typeof v2Variants): ModelFactory<MobileNetConfig, MobileNetV2> =>
  defineModel<MobileNetConfig, MobileNetV2>(
    { ...about, name, reference: 'torchvision', macs: macs[name], weights: weightsOf(name, v2Variants[name].preprocessing) },
    v2Variants[name],
    (c) => new MobileNetV2(c),
  );

const mobilenetV3 = (name: keyof typeof v3Variants): ModelFactory<MobileNetV3Config, MobileNetV3> =>
  defineModel<MobileNetV3Config, MobileNetV3>(
    { ...about, name, reference: 'torchvision', macs: macs[name], weights: weightsOf(name, v3Variants[name].preprocessing) },
    v3Variants[name],
    (c) => new MobileNetV3(c),
  );

const mobilenetV4 = (name: keyof typeof v4Variants): ModelFactory<MobileNetV4Config, MobileNetV4> =>
  defineModel<MobileNetV4Config, MobileNetV4>(
    { ...about, name, reference: 'timm', macs: macs[name], weights: weightsOf(name, v4Variants[name].preprocessing) },
    v4Variants[name],
    (c) => new MobileNetV4(c),
  );

export const mobilenetV1_025 = mobilenetV1('mobilenetv1_025');
export const mobilenetV1_050 = mobilenetV1('mobilenetv1_050');
export const mobilenetV1_075 = mobilenetV1('mobilenetv1_075');
export const mobilenetV1_100 = mobilenetV1('mobilenetv1_100');
export const mobilenetV1_125 = mobilenetV1('mobilenetv1_125');

export const mobilenetV2 = mobilenetV2Of('mobilenet_v2');
export const mobilenetV2_035 = mobilenetV2Of('mobilenet_v2_035');
export const mobilenetV2_050 = mobilenetV2Of('mobilenet_v2_050');
export const mobilenetV2_075 = mobilenetV2Of('mobilenet_v2_075');
export const mobilenetV2_140 = mobilenetV2Of('mobilenet_v2_140');

export const mobilenetV3Small = mobilenetV3('mobilenet_v3_small');
export const mobilenetV3Large = mobilenetV3('mobilenet_v3_large');

export const mobilenetV4ConvSmall = mobilenetV4('mobilenetv4_conv_small');
export const mobilenetV4ConvSmall050 = mobilenetV4('mobilenetv4_conv_small_050');
export const mobilenetV4ConvMedium = mobilenetV4('mobilenetv4_conv_medium');
export const mobilenetV4ConvLarge = mobilenetV4('mobilenetv4_conv_large');
export const mobilenetV4HybridMedium = mobilenetV4('mobilenetv4_hybrid_medium');
export const mobilenetV4HybridLarge = mobilenetV4('mobilenetv4_hybrid_large');

/** Every variant of this package. */
export const models = [
  ...[mobilenetV1_025, mobilenetV1_050, mobilenetV1_075, mobilenetV1_100, mobilenetV1_125],
  ...[mobilenetV2, mobilenetV2_035, mobilenetV2_050, mobilenetV2_075, mobilenetV2_140],
  ...[mobilenetV3Small, mobilenetV3Large],
  ...[mobilenetV4ConvSmall, mobilenetV4ConvSmall050, mobilenetV4ConvMedium, mobilenetV4ConvLarge],
  ...[mobilenetV4HybridMedium, mobilenetV4HybridLarge],
] as const;
