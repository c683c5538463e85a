import { describeModel, sharedGoldens, testOverfits } from '@convkit/model-tests';
import { describe } from 'vitest';
import { models, vgg11BnCifarLinear, vgg16BnCifar, vgg16Cifar } from './index.js';

describeModel('vgg11_bn_cifar_linear', vgg11BnCifarLinear, new URL('__fixtures__/vgg11_bn_cifar_linear.json', import.meta.url));

// The linear layers start so small that a few steps pass before the net departs from its mean.
const size = { size: 8, steps: 100 };
const small = { layers: [16, 'pool', 32, 'pool'], hidden: [64], dropout: 0, numClasses: 8 } as const;
const filters = [{ channels: 16, kernel: 5 }, 'pool', { channels: 32, kernel: 1 }, 'pool'] as const;
testOverfits('a VGG of two convolutions', () => vgg16Cifar(small), size);
testOverfits('a VGG with 5×5 and 1×1 filters', () => vgg16BnCifar({ ...small, layers: filters }), size);

// The nets for ImageNet have up to 144 million parameters: their goldens are only checked where they lie beside the checkout.
describe.runIf(process.env.CONVKIT_ALL_GOLDENS)('complete goldens', () => {
  for (const [name, file] of sharedGoldens('vgg')) {
    const factory = models.find(({ info }) => info.name === name);
    if (!factory) throw new Error(`There is a golden for ${name}, but no such variant.`);
    describeModel(name, () => factory({ dropout: 0 }), file);
  }
});
