import { type Classifier, inference, selectBackend } from '@convkit/core';
import { zeros } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { models, vgg11Bn, vgg11BnCifar, vgg16Cifar, vgg19 } from './index.js';

const count = (model: Classifier) => [...model.parameters()].reduce((total, [, { size }]) => total + size, 0);

beforeAll(() => selectBackend('cpu'));

describe('published parameter counts', () => {
  const published: Record<string, number> = {
    vgg11: 132_863_336,
    vgg13: 133_047_848,
    vgg16: 138_357_544,
    vgg19: 143_667_240,
    vgg11_bn: 132_868_840,
    vgg13_bn: 133_053_736,
    vgg16_bn: 138_365_992,
    vgg19_bn: 143_678_248,
    vgg11_cifar: 28_144_010,
    vgg13_cifar: 28_328_522,
    vgg16_cifar: 33_638_218,
    vgg19_cifar: 38_947_914,
    vgg11_bn_cifar: 28_149_514,
    vgg13_bn_cifar: 28_334_410,
    vgg16_bn_cifar: 33_646_666,
    vgg19_bn_cifar: 38_958_922,
    vgg11_cifar_linear: 9_225_610,
    vgg13_cifar_linear: 9_410_122,
    vgg16_cifar_linear: 14_719_818,
    vgg19_cifar_linear: 20_029_514,
    vgg11_bn_cifar_linear: 9_231_114,
    vgg13_bn_cifar_linear: 9_416_010,
    vgg16_bn_cifar_linear: 14_728_266,
    vgg19_bn_cifar_linear: 20_040_522,
  };

  test.each(models.map((factory) => [factory.info.name, factory] as const))('%s', (name, factory) => {
    expect(count(factory())).toBe(published[name]);
  });

  test('belong to a variant each', () => {
    expect(models.map(({ info }) => info.name).sort()).toEqual(Object.keys(published).sort());
  });
});

test("the state dict has torchvision's names in torchvision's order", () => {
  const names = [...vgg11Bn().state()].map(([name]) => name);
  expect(names.slice(0, 4)).toEqual(['features.0.weight', 'features.0.bias', 'features.1.weight', 'features.1.bias']);
  expect(names.slice(-6)).toEqual(['0', '3', '6'].flatMap((i) => [`classifier.${i}.weight`, `classifier.${i}.bias`]));
  expect([...vgg19().state()].some(([name]) => name === 'features.34.weight')).toBe(true);
});

test('the head takes hidden layers of any widths, and more or fewer of them', () => {
  const model = vgg11BnCifar({ hidden: [512, 256, 128], numClasses: 100 });
  const shapes = [...model.classifier.parameters()].map(([name, { shape }]) => `${name} ${shape.join('×')}`);
  expect(shapes.filter((shape) => shape.includes('weight'))).toEqual([
    '0.weight 512×512',
    '3.weight 256×512',
    '6.weight 128×256',
    '9.weight 100×128',
  ]);
});

test('layers of one net may differ in their filters, and any image size fits', () => {
  const model = vgg16Cifar({ layers: [{ channels: 4, kernel: 7 }, 'pool', 6, 'pool'], grid: 2, hidden: [5] }).initialize(1);
  expect([...model.features.parameters()].map(([name, { shape }]) => [name, shape])).toEqual([
    ['0.weight', [4, 3, 7, 7]],
    ['0.bias', [4]],
    ['3.weight', [6, 4, 3, 3]],
    ['3.bias', [6]],
  ]);
  for (const side of [32, 21]) {
    const x = zeros([1, side, side, 3]);
    const y = model.forward(x, inference);
    expect(y.shape).toEqual([1, 10]);
    x.dispose();
    y.dispose();
  }
  model.dispose();
});

test('a filter of even size is refused', () => {
  expect(() => vgg16Cifar({ layers: [{ channels: 4, kernel: 4 }] })).toThrow('odd size, found 4');
});
