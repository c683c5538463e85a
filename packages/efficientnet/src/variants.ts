import { type ModelFactory, type Preprocessing, defineModel, imagenetColours, symmetricColours } from '@convkit/core';
import { EfficientNet, type EfficientNetConfig, type Stage } from './efficientnet.js';
import { macs } from './macs.js';
import { weightsOf } from './weights.js';

const bicubic = (size: number, resize: number): Preprocessing => ({ ...imagenetColours, size, resize, interpolation: 'bicubic' });
const bilinear = (size: number): Preprocessing => ({ ...imagenetColours, size, resize: size, interpolation: 'bilinear' });

// ---- EfficientNet: one table, scaled ----

const b0Stages: readonly Stage[] = [
  { block: 'mbconv', expand: 1, kernel: 3, stride: 1, channels: 16, layers: 1 },
  { block: 'mbconv', expand: 6, kernel: 3, stride: 2, channels: 24, layers: 2 },
  { block: 'mbconv', expand: 6, kernel: 5, stride: 2, channels: 40, layers: 2 },
  { block: 'mbconv', expand: 6, kernel: 3, stride: 2, channels: 80, layers: 3 },
  { block: 'mbconv', expand: 6, kernel: 5, stride: 1, channels: 112, layers: 3 },
  { block: 'mbconv', expand: 6, kernel: 5, stride: 2, channels: 192, layers: 4 },
  { block: 'mbconv', expand: 6, kernel: 3, stride: 1, channels: 320, layers: 1 },
];

const base = { numClasses: 1000, padding: 'symmetric', dropPath: 0.2 } as const;
const usualNorm = { eps: 1e-5, momentum: 0.1 } as const;
/** torchvision's B5 to B7 come from TensorFlow by another way than B0 to B4. */
const tensorflowNorm = { eps: 1e-3, momentum: 0.01 } as const;

const v1 = { ...base, stem: 32, stages: b0Stages, head: undefined, norm: usualNorm } as const;

const v1Variants = {
  efficientnet_b0: { ...v1, width: 1, depth: 1, dropout: 0.2, preprocessing: bicubic(224, 256) },
  efficientnet_b1: { ...v1, width: 1, depth: 1.1, dropout: 0.2, preprocessing: bicubic(240, 256) },
  efficientnet_b2: { ...v1, width: 1.1, depth: 1.2, dropout: 0.3, preprocessing: bicubic(288, 288) },
  efficientnet_b3: { ...v1, width: 1.2, depth: 1.4, dropout: 0.3, preprocessing: bicubic(300, 320) },
  efficientnet_b4: { ...v1, width: 1.4, depth: 1.8, dropout: 0.4, preprocessing: bicubic(380, 384) },
  efficientnet_b5: { ...v1, norm: tensorflowNorm, width: 1.6, depth: 2.2, dropout: 0.4, preprocessing: bicubic(456, 456) },
  efficientnet_b6: { ...v1, norm: tensorflowNorm, width: 1.8, depth: 2.6, dropout: 0.5, preprocessing: bicubic(528, 528) },
  efficientnet_b7: { ...v1, norm: tensorflowNorm, width: 2, depth: 3.1, dropout: 0.5, preprocessing: bicubic(600, 600) },
} as const satisfies Record<string, EfficientNetConfig>;

// ---- EfficientNetV2: a table each ----

type Row = readonly [expand: number, stride: 1 | 2, channels: number, layers: number];

/** Three stages of fused blocks, then inverted residuals; all kernels are 3×3. */
const v2Stages = (...rows: readonly Row[]): readonly Stage[] =>
  rows.map(([expand, stride, channels, layers], i) => ({
    block: i < 3 ? 'fused' : 'mbconv',
    kernel: 3,
    ...{ expand, stride, channels, layers },
  }));

const v2 = { ...base, width: 1, depth: 1, head: 1280, norm: { eps: 1e-3, momentum: 0.1 } } as const;

const v2Variants = {
  efficientnet_v2_s: {
    ...{ ...v2, stem: 24, dropout: 0.2, preprocessing: bilinear(384) },
    stages: v2Stages([1, 1, 24, 2], [4, 2, 48, 4], [4, 2, 64, 4], [4, 2, 128, 6], [6, 1, 160, 9], [6, 2, 256, 15]),
  },
  efficientnet_v2_m: {
    ...{ ...v2, stem: 24, dropout: 0.3, preprocessing: bilinear(480) },
    stages: v2Stages(
      ...([
        [1, 1, 24, 3],
        [4, 2, 48, 5],
        [4, 2, 80, 5],
      ] as const),
      ...([
        [4, 2, 160, 7],
        [6, 1, 176, 14],
        [6, 2, 304, 18],
        [6, 1, 512, 5],
      ] as const),
    ),
  },
  efficientnet_v2_l: {
    ...{ ...v2, stem: 32, dropout: 0.4, preprocessing: { ...bicubic(480, 480), ...symmetricColours } },
    stages: v2Stages(
      ...([
        [1, 1, 32, 4],
        [4, 2, 64, 7],
        [4, 2, 96, 7],
      ] as const),
      ...([
        [4, 2, 192, 10],
        [6, 1, 224, 19],
        [6, 2, 384, 25],
        [6, 1, 640, 7],
      ] as const),
    ),
  },
} as const satisfies Record<string, EfficientNetConfig>;

// ---- The same nets for weights that were trained with TensorFlow ----

const tensorflow = { padding: 'same', norm: tensorflowNorm } as const;
/** Resized without regard to the aspect ratio. */
const squashed: Preprocessing = { ...symmetricColours, size: 480, interpolation: 'bicubic' };
const { efficientnet_b0: b0, efficientnet_b1: b1, efficientnet_b2: b2, efficientnet_b3: b3 } = v1Variants;
const { efficientnet_b4: b4, efficientnet_b5: b5, efficientnet_b6: b6, efficientnet_b7: b7 } = v1Variants;

const tensorflowVariants = {
  tf_efficientnet_b0: { ...b0, ...tensorflow, preprocessing: bicubic(224, 256) },
  tf_efficientnet_b1: { ...b1, ...tensorflow, preprocessing: bicubic(240, 272) },
  tf_efficientnet_b2: { ...b2, ...tensorflow, preprocessing: bicubic(260, 292) },
  tf_efficientnet_b3: { ...b3, ...tensorflow, preprocessing: bicubic(300, 331) },
  tf_efficientnet_b4: { ...b4, ...tensorflow, preprocessing: bicubic(380, 412) },
  tf_efficientnet_b5: { ...b5, ...tensorflow, preprocessing: bicubic(456, 488) },
  tf_efficientnet_b6: { ...b6, ...tensorflow, preprocessing: bicubic(528, 560) },
  tf_efficientnet_b7: { ...b7, ...tensorflow, preprocessing: bicubic(600, 632) },
  tf_efficientnetv2_s: {
    ...{ ...v2Variants.efficientnet_v2_s, ...tensorflow },
    preprocessing: { ...bicubic(384, 384), ...symmetricColours },
  },
  tf_efficientnetv2_m: { ...v2Variants.efficientnet_v2_m, ...tensorflow, preprocessing: squashed },
  tf_efficientnetv2_l: { ...v2Variants.efficientnet_v2_l, ...tensorflow, preprocessing: squashed },
} as const satisfies Record<string, EfficientNetConfig>;

const variants = { ...v1Variants, ...v2Variants, ...tensorflowVariants };

const efficientnet = (name: keyof typeof variants): ModelFactory<EfficientNetConfig, EfficientNet> =>
  defineModel<EfficientNetConfig, EfficientNet>(
    {
      package: '@convkit/efficientnet',
      name,
      dataset: 'imagenet',
      reference: name in tensorflowVariants ? 'timm' : 'torchvision',
      macs: macs[name],
      weights: weightsOf(name, variants[name].preprocessing),
    },
    variants[name],
    (config) => new EfficientNet(config),
  );

export const efficientnetB0 = efficientnet('efficientnet_b0');
export const efficientnetB1 = efficientnet('efficientnet_b1');
export const efficientnetB2 = efficientnet('efficientnet_b2');
export const efficientnetB3 = efficientnet('efficientnet_b3');
export const efficientnetB4 = efficientnet('efficientnet_b4');
export const efficientnetB5 = efficientnet('efficientnet_b5');
export const efficientnetB6 = efficientnet('efficientnet_b6');
export const efficientnetB7 = efficientnet('efficientnet_b7');

export const efficientnetV2S = efficientnet('efficientnet_v2_s');
export const efficientnetV2M = efficientnet('efficientnet_v2_m');
export const efficientnetV2L = efficientnet('efficientnet_v2_l');

export const tfEfficientnetB0 = efficientnet('tf_efficientnet_b0');
export const tfEfficientnetB1 = efficientnet('tf_efficientnet_b1');
export const tfEfficientnetB2 = efficientnet('tf_efficientnet_b2');
export const tfEfficientnetB3 = efficientnet('tf_efficientnet_b3');
export const tfEfficientnetB4 = efficientnet('tf_efficientnet_b4');
export const tfEfficientnetB5 = efficientnet('tf_efficientnet_b5');
export const tfEfficientnetB6 = efficientnet('tf_efficientnet_b6');
export const tfEfficientnetB7 = efficientnet('tf_efficientnet_b7');

export const tfEfficientnetV2S = efficientnet('tf_efficientnetv2_s');
export const tfEfficientnetV2M = efficientnet('tf_efficientnetv2_m');
export const tfEfficientnetV2L = efficientnet('tf_efficientnetv2_l');

/** Every variant of this package. */
export const models = [
  ...[efficientnetB0, efficientnetB1, efficientnetB2, efficientnetB3, efficientnetB4, efficientnetB5, efficientnetB6],
  ...[efficientnetB7, efficientnetV2S, efficientnetV2M, efficientnetV2L],
  ...[tfEfficientnetB0, tfEfficientnetB1, tfEfficientnetB2, tfEfficientnetB3, tfEfficientnetB4, tfEfficientnetB5],
  ...[tfEfficientnetB6, tfEfficientnetB7, tfEfficientnetV2S, tfEfficientnetV2M, tfEfficientnetV2L],
] as const;
