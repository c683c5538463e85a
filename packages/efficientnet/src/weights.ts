import { type Preprocessing, type PublishedWeights, type WeightsTable, imagenetColours } from '@convkit/core';
import type { EfficientNetConfig } from './efficientnet.js';
import { renameTimm, renameTimmV2, renameTimmV2S } from './rename.js';

// Published weights: data only. `tv_` are torchvision's, with its figures; all others are timm's, measured by timm. Where a table
// names no preprocessing, it is the variant's. Of a hash torchvision publishes the first eight digits, in the file's name, and timm nothing.

type Accuracy = Pick<PublishedWeights, 'top1' | 'top5'>;
/** Everything but the preprocessing of the variant. */
type Entry = Omit<PublishedWeights<EfficientNetConfig>, 'preprocessing'> & { readonly preprocessing?: Preprocessing };

const torchvision = (file: string, accuracy: Accuracy): Entry => ({
  ...accuracy,
  classes: 'imagenet',
  licence: 'BSD-3-Clause',
  location: {
    url: `https://download.pytorch.org/models/${file}.pth`,
    sha256: file.slice(file.lastIndexOf('-') + 1), // torchvision's file names end with its first digits
  },
});

const timm = (name: string, accuracy: Accuracy, rename: PublishedWeights['rename'] = renameTimm): Entry => ({
  ...accuracy,
  classes: 'imagenet',
  licence: 'Apache-2.0',
  location: { repo: `timm/${name}`, file: 'model.safetensors' },
  rename,
});

/** Those that candle's examples load, in the form of TensorFlow; where they were trained is not stated. */
const candle = (name: string): Entry => ({
  classes: 'imagenet',
  location: { repo: 'lmz/candle-efficientnet', file: `${name}.safetensors` },
  preprocessing: { ...imagenetColours, size: 224, resize: 224, interpolation: 'bilinear' },
  config: { padding: 'same', norm: { eps: 1e-3, momentum: 0.01 } },
});

const tables: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  efficientnet_b0: {
    tv_in1k: torchvision('efficientnet_b0_rwightman-7f5810bc', { top1: 0.77692, top5: 0.93532 }),
    candle: candle('efficientnet-b0'),
    ra_in1k: timm('efficientnet_b0.ra_in1k', { top1: 0.77698, top5: 0.93538 }),
  },
  efficientnet_b1: {
    tv_in1k: torchvision('efficientnet_b1_rwightman-bac287d4', { top1: 0.78642, top5: 0.94186 }),
    candle: candle('efficientnet-b1'),
    tv2_in1k: {
      ...torchvision('efficientnet_b1-c27df63c', { top1: 0.79838, top5: 0.94934 }),
      preprocessing: { ...imagenetColours, size: 240, resize: 255, interpolation: 'bilinear' },
    },
  },
  efficientnet_b2: {
    tv_in1k: torchvision('efficientnet_b2_rwightman-c35c1473', { top1: 0.80608, top5: 0.9531 }),
    candle: candle('efficientnet-b2'),
  },
  efficientnet_b3: {
    tv_in1k: torchvision('efficientnet_b3_rwightman-b3899882', { top1: 0.82008, top5: 0.96054 }),
    candle: candle('efficientnet-b3'),
  },
  efficientnet_b4: {
    tv_in1k: torchvision('efficientnet_b4_rwightman-23ab8bcd', { top1: 0.83384, top5: 0.96594 }),
    candle: candle('efficientnet-b4'),
  },
  efficientnet_b5: {
    tv_in1k: torchvision('efficientnet_b5_lukemelas-1a07897c', { top1: 0.83444, top5: 0.96628 }),
    candle: candle('efficientnet-b5'),
  },
  efficientnet_b6: {
    tv_in1k: torchvision('efficientnet_b6_lukemelas-24a108a5', { top1: 0.84008, top5: 0.96916 }),
    candle: candle('efficientnet-b6'),
  },
  efficientnet_b7: {
    tv_in1k: torchvision('efficientnet_b7_lukemelas-c5b4e57e', { top1: 0.84122, top5: 0.96908 }),
    candle: candle('efficientnet-b7'),
  },
  efficientnet_v2_s: {
    tv_in1k: torchvision('efficientnet_v2_s-dd5fe13b', { top1: 0.84228, top5: 0.96878 }),
  },
  efficientnet_v2_m: {
    tv_in1k: torchvision('efficientnet_v2_m-dc08266a', { top1: 0.85112, top5: 0.97156 }),
  },
  efficientnet_v2_l: {
    tv_in1k: torchvision('efficientnet_v2_l-59c71312', { top1: 0.85808, top5: 0.97788 }),
  },
  tf_efficientnet_b0: {
    ns_jft_in1k: timm('tf_efficientnet_b0.ns_jft_in1k', { top1: 0.7868, top5: 0.94372 }),
    aa_in1k: timm('tf_efficientnet_b0.aa_in1k', { top1: 0.76882, top5: 0.9327 }),
  },
  tf_efficientnet_b1: {
    ns_jft_in1k: timm('tf_efficientnet_b1.ns_jft_in1k', { top1: 0.81388, top5: 0.95756 }),
    aa_in1k: timm('tf_efficientnet_b1.aa_in1k', { top1: 0.7884, top5: 0.94202 }),
  },
  tf_efficientnet_b2: {
    ns_jft_in1k: timm('tf_efficientnet_b2.ns_jft_in1k', { top1: 0.82412, top5: 0.96238 }),
    aa_in1k: timm('tf_efficientnet_b2.aa_in1k', { top1: 0.80074, top5: 0.94906 }),
  },
  tf_efficientnet_b3: {
    ns_jft_in1k: timm('tf_efficientnet_b3.ns_jft_in1k', { top1: 0.84054, top5: 0.96926 }),
    aa_in1k: timm('tf_efficientnet_b3.aa_in1k', { top1: 0.81648, top5: 0.95724 }),
  },
  tf_efficientnet_b4: {
    ns_jft_in1k: timm('tf_efficientnet_b4.ns_jft_in1k', { top1: 0.85156, top5: 0.97482 }),
    aa_in1k: timm('tf_efficientnet_b4.aa_in1k', { top1: 0.8304, top5: 0.96298 }),
  },
  tf_efficientnet_b5: {
    ns_jft_in1k: timm('tf_efficientnet_b5.ns_jft_in1k', { top1: 0.86096, top5: 0.97744 }),
    aa_in1k: timm('tf_efficientnet_b5.aa_in1k', { top1: 0.83696, top5: 0.96712 }),
  },
  tf_efficientnet_b6: {
    ns_jft_in1k: timm('tf_efficientnet_b6.ns_jft_in1k', { top1: 0.86476, top5: 0.97864 }),
    aa_in1k: timm('tf_efficientnet_b6.aa_in1k', { top1: 0.84124, top5: 0.9689 }),
  },
  tf_efficientnet_b7: {
    ns_jft_in1k: timm('tf_efficientnet_b7.ns_jft_in1k', { top1: 0.8685, top5: 0.9808 }),
    aa_in1k: timm('tf_efficientnet_b7.aa_in1k', { top1: 0.84424, top5: 0.96908 }),
  },
  tf_efficientnetv2_s: { in1k: timm('tf_efficientnetv2_s.in1k', { top1: 0.839, top5: 0.96702 }, renameTimmV2S) },
  tf_efficientnetv2_m: { in1k: timm('tf_efficientnetv2_m.in1k', { top1: 0.85208, top5: 0.97358 }, renameTimmV2) },
  tf_efficientnetv2_l: { in1k: timm('tf_efficientnetv2_l.in1k', { top1: 0.8566, top5: 0.97472 }, renameTimmV2) },
};

/** The weights of a variant, by tag. */
export function weightsOf(name: string, own: Preprocessing): WeightsTable<EfficientNetConfig> {
  const entries = Object.entries(tables[name] ?? {});
  return Object.fromEntries(entries.map(([tag, entry]) => [tag, { preprocessing: own, ...entry }]));
}
