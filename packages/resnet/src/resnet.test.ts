import { describeModel, sharedGoldens, testOverfits } from '@convkit/model-tests';
import { describe } from 'vitest';
import {
  models,
  resnet18,
  resnet18d,
  resnet20,
  resnet50,
  resnet50d,
  resnet56,
  resnet8,
  resnext50_32x4d,
  seresnet50,
  smallResnet,
} from './index.js';

const fixture = (name: string) => new URL(`__fixtures__/${name}.json`, import.meta.url);

for (const factory of [resnet18, resnet50, resnext50_32x4d, resnet50d, seresnet50, resnet20, resnet56]) {
  describeModel(factory.info.name, factory, fixture(factory.info.name));
}
describeModel('resnet18_cbam', () => resnet18({ attention: 'cbam' }), fixture('resnet18_cbam'));

const small = { layers: [1, 1, 1, 1], stem: 'small', numClasses: 4 } as const;
testOverfits('a ResNet of four basic blocks', () => resnet18(small), {
  size: 16,
});
testOverfits('a ResNeXt', () => resnext50_32x4d({ layers: [1, 1, 1, 1], groups: 4, numClasses: 4 }), { size: 32 });
testOverfits('a ResNet-D with block attention', () => resnet18d({ ...small, stem: 'deep', attention: 'cbam' }), {
  size: 32,
});
testOverfits('a ResNet with squeeze and excitation', () => seresnet50({ ...small, block: 'basic' }), { size: 8 });
testOverfits('a CIFAR ResNet with option B shortcuts', () => resnet8({ width: 8, shortcut: 'B' }), { size: 16 });
testOverfits('the small ResNet', () => smallResnet({ numClasses: 8 }), { size: 8 });

// The complete goldens, all values and the largest nets, where they lie beside the checkout.
describe.runIf(process.env.CONVKIT_ALL_GOLDENS)('complete goldens', () => {
  for (const family of ['resnet', 'cifar_resnet']) {
    for (const [name, file] of sharedGoldens(family)) {
      const factory = models.find(({ info }) => info.name === name);
      if (!factory) throw new Error(`There is a golden for ${name}, but no such variant.`);
      describeModel(name, factory, file);
    }
  }
});
