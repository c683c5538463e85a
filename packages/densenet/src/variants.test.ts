import { type Classifier, selectBackend } from '@convkit/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { cifarDenseNet, densenet100K12Bc, densenet121, models } from './index.js';

const count = (model: Classifier) => [...model.parameters()].reduce((total, [, { size }]) => total + size, 0);

beforeAll(() => selectBackend('cpu'));

describe('published parameter counts', () => {
  const published: Record<string, number> = {
    densenet121: 7_978_856,
    densenet161: 28_681_000,
    densenet169: 14_149_480,
    densenet201: 20_013_928,
    densenet40_k12: 1_019_722,
    densenet88_k12_bc: 616_042,
    densenet100_k12: 6_979_642,
    densenet100_k12_bc: 769_162,
    densenet190_k40_bc: 25_624_430,
    densenet250_k24_bc: 15_324_406,
  };

  test.each(models.map((factory) => [factory.info.name, factory] as const))('%s', (name, factory) => {
    expect(count(factory())).toBe(published[name]);
  });

  test('belong to a variant each', () => {
    expect(models.map(({ info }) => info.name).sort()).toEqual(Object.keys(published).sort());
  });
});

test('growth rate, blocks and compression are parameters', () => {
  const model = densenet121({ growthRate: 16, blocks: [2, 3], compression: 0.25, stem: 'small', numClasses: 5 });
  const shapes = new Map([...model.parameters()].map(([name, { shape }]) => [name, shape]));
  expect(shapes.get('features.conv0.weight')).toEqual([64, 3, 3, 3]);
  expect(shapes.has('features.norm0.weight')).toBe(false);
  expect(shapes.get('features.denseblock1.denselayer2.conv1.weight')).toEqual([64, 80, 1, 1]);
  expect(shapes.get('features.transition1.conv.weight')).toEqual([24, 96, 1, 1]);
  expect(shapes.get('classifier.weight')).toEqual([5, 24 + 3 * 16]);
});

test('(L, k) of the paper give the blocks, and a depth that does not fit is refused', () => {
  expect(cifarDenseNet(190, 40, 'BC')).toMatchObject({ blocks: [31, 31, 31], stemChannels: 80 });
  expect(count(densenet100K12Bc(cifarDenseNet(40, 12, 'plain')))).toBe(1_019_722);
  expect(() => cifarDenseNet(50, 12, 'BC')).toThrow('6n + 4 layers (40, 100, 190, 250 …), found depth 50');
  expect(() => cifarDenseNet(41, 12, 'plain')).toThrow('3n + 4');
});
