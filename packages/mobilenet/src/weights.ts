import { type Preprocessing, type PublishedWeights, type WeightsTable, imagenetColours } from '@convkit/core';
import { renameTimmV2 } from './rename.js';

// Published weights: data only. `tv_in1k` and `tv2_in1k` are torchvision's, with its figures; all others are timm's, measured by timm at
// the size of the variant. Where a table names no preprocessing, it is the variant's. torchvision publishes the first eight digits of a hash,
// in the name of the file; of what lies on the Hub, its own hash is checked.

type Accuracy = Pick<PublishedWeights, 'top1' | 'top5'>;
/** Everything but the preprocessing of the variant. */
type Entry = Omit<PublishedWeights, 'preprocessing'> & { readonly preprocessing?: Preprocessing };

const torchvision = (file: string, accuracy: Accuracy): Entry => ({
  ...accuracy,
  classes: 'imagenet',
  licence: 'BSD-3-Clause',
  location: {
    url: `https://download.pytorch.org/models/${file}.pth`,
    sha256: file.slice(file.lastIndexOf('-') + 1), // torchvision's file names end with its first digits
  },
});

const timm = (name: string, accuracy: Accuracy): Entry => ({
  ...accuracy,
  classes: 'imagenet',
  licence: 'Apache-2.0',
  location: { repo: `timm/${name}`, file: 'model.safetensors' },
});

const timmV2 = (name: string, accuracy: Accuracy): Entry => ({ ...timm(name, accuracy), rename: renameTimmV2 });
/** torchvision's longer recipe. */
const longer: Preprocessing = { ...imagenetColours, size: 224, resize: 232, interpolation: 'bilinear' };
const bicubic: Preprocessing = { ...imagenetColours, size: 224, resize: 256, interpolation: 'bicubic' };

const tables: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  mobilenetv1_100: { ra4_e3600_r224_in1k: timm('mobilenetv1_100.ra4_e3600_r224_in1k', { top1: 0.75388, top5: 0.9231 }) },
  mobilenetv1_125: { ra4_e3600_r224_in1k: timm('mobilenetv1_125.ra4_e3600_r224_in1k', { top1: 0.7692, top5: 0.93232 }) },
  mobilenet_v2_050: { lamb_in1k: timmV2('mobilenetv2_050.lamb_in1k', { top1: 0.65928, top5: 0.86114 }) },
  mobilenet_v2_140: { ra_in1k: timmV2('mobilenetv2_140.ra_in1k', { top1: 0.76528, top5: 0.93008 }) },
  mobilenetv4_conv_small_050: {
    e3000_r224_in1k: timm('mobilenetv4_conv_small_050.e3000_r224_in1k', { top1: 0.64778, top5: 0.855 }),
  },
  mobilenetv4_conv_small: { e2400_r224_in1k: timm('mobilenetv4_conv_small.e2400_r224_in1k', { top1: 0.73756, top5: 0.9143 }) },
  mobilenetv4_conv_medium: { e500_r256_in1k: timm('mobilenetv4_conv_medium.e500_r256_in1k', { top1: 0.79916, top5: 0.95188 }) },
  mobilenetv4_conv_large: { e600_r384_in1k: timm('mobilenetv4_conv_large.e600_r384_in1k', { top1: 0.82974, top5: 0.96244 }) },
  mobilenetv4_hybrid_medium: {
    ix_e550_r256_in1k: timm('mobilenetv4_hybrid_medium.ix_e550_r256_in1k', { top1: 0.81478, top5: 0.95692 }),
  },
  mobilenetv4_hybrid_large: {
    ix_e600_r384_in1k: timm('mobilenetv4_hybrid_large.ix_e600_r384_in1k', { top1: 0.83996, top5: 0.96714 }),
  },
  mobilenet_v2: {
    tv_in1k: torchvision('mobilenet_v2-b0353104', { top1: 0.71878, top5: 0.90286 }),
    tv2_in1k: { ...torchvision('mobilenet_v2-7ebf99e0', { top1: 0.72154, top5: 0.90822 }), preprocessing: longer },
    ra_in1k: { ...timmV2('mobilenetv2_100.ra_in1k', { top1: 0.7291, top5: 0.91 }), preprocessing: bicubic },
  },
  mobilenet_v3_small: { tv_in1k: torchvision('mobilenet_v3_small-047dcff4', { top1: 0.67668, top5: 0.87402 }) },
  mobilenet_v3_large: {
    tv_in1k: torchvision('mobilenet_v3_large-8738ca79', { top1: 0.74042, top5: 0.9134 }),
    tv2_in1k: { ...torchvision('mobilenet_v3_large-5c1a4163', { top1: 0.75274, top5: 0.92566 }), preprocessing: longer },
  },
};

/** The weights of a variant, by tag. */
export function weightsOf(name: string, own: Preprocessing): WeightsTable {
  const entries = Object.entries(tables[name] ?? {});
  return Object.fromEntries(entries.map(([tag, entry]) => [tag, { preprocessing: own, ...entry }]));
}
