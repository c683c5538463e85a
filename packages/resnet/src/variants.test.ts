import { type Classifier, selectBackend } from '@convkit/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { CifarResNet, models, resnet18, resnet18d, resnet20, resnet50, seresnet50, smallResnet } from './index.js';

const shapes = (model: Classifier) => new Map([...model.state()].map(([name, { shape }]) => [name, shape]));
const count = (model: Classifier) => [...model.parameters()].reduce((total, [, { size }]) => total + size, 0);

beforeAll(() => selectBackend('cpu'));

describe('published parameter counts', () => {
  const published: Record<string, number> = {
    resnet18: 11_689_512,
    resnet34: 21_797_672,
    resnet50: 25_557_032,
    resnet101: 44_549_160,
    resnet152: 60_192_808,
    resnext50_32x4d: 25_028_904,
    resnext101_32x8d: 88_791_336,
    resnext101_64x4d: 83_455_272,
    resnet18d: 11_708_744,
    resnet50d: 25_576_264,
    seresnet50: 28_088_024,
    wide_resnet50_2: 68_883_240,
    wide_resnet101_2: 126_886_696,
    resnet20: 269_722,
    resnet32: 464_154,
    resnet44: 658_586,
    resnet56: 853_018,
    resnet110: 1_727_962,
  };
  for (const [name, parameters] of Object.entries(published)) {
    test(`${name} has ${parameters} parameters`, () => {
      const factory = models.find(({ info }) => info.name === name);
      expect(factory && count(factory())).toBe(parameters);
    });
  }

  test.each([
    [20, 272_474],
    [32, 466_906],
    [44, 661_338],
    [56, 855_770],
    [110, 1_730_714],
  ])('a CIFAR ResNet-%i with option B shortcuts has %i', (depth, parameters) => {
    const { preprocessing } = resnet20.info;
    expect(count(new CifarResNet({ depth, width: 16, shortcut: 'B', numClasses: 10, preprocessing }))).toBe(parameters);
  });
});

test('every variant has a name of its own', () => {
  expect(new Set(models.map(({ info }) => info.name)).size).toBe(models.length);
});

test('numClasses sets the width of the head, and the published class names go with the published classes', () => {
  const model = resnet50({ numClasses: 7 });
  expect(model.fc.weight.shape).toEqual([7, 2048]);
  expect(model.classes[6]).toBe('class 6');
  expect(resnet20().classes[3]).toBe('cat');
});

test('zeroInitLast starts each block with zeros for γ of its last normalisation', async () => {
  const model = resnet18({ zeroInitLast: true, numClasses: 2 }).initialize(1);
  const parameters = new Map(model.parameters());
  expect(new Set(await parameters.get('layer1.0.bn2.weight')!.read())).toEqual(new Set([0]));
  expect(new Set(await parameters.get('layer1.0.bn1.weight')!.read())).toEqual(new Set([1]));
  model.dispose();
});

test('the small stem keeps the resolution of small images', () => {
  const model = resnet18({ stem: 'small', numClasses: 10 });
  expect(shapes(model).get('conv1.weight')).toEqual([64, 3, 3, 3]);
});

test('names of the deep stem, of pooled shortcuts and of attention are those of timm', () => {
  const d = [...shapes(resnet18d()).keys()];
  expect(d.filter((name) => /^(conv1|bn1)\..*weight/.test(name))).toEqual([
    ...['conv1.0.weight', 'conv1.1.weight', 'conv1.3.weight', 'conv1.4.weight', 'conv1.6.weight', 'bn1.weight'],
  ]);
  expect(d).toContain('layer2.0.downsample.1.weight');
  expect(d).toContain('layer2.0.downsample.2.running_mean');
  const se = shapes(seresnet50());
  expect(se.get('layer1.0.se.fc1.weight')).toEqual([16, 256, 1, 1]);
  expect(se.get('layer4.2.se.fc2.bias')).toEqual([2048]);
  const order = [...se.keys()].filter((name) => name.startsWith('layer1.0.') && name.endsWith('.weight'));
  expect(order.slice(-5)).toEqual(
    ['bn3', 'se.fc1', 'se.fc2', 'downsample.0', 'downsample.1'].map((name) => `layer1.0.${name}.weight`),
  );
  const cbam = [...shapes(resnet50({ attention: 'cbam' })).keys()].filter((name) => /^layer1\.1\.se\..*weight/.test(name));
  expect(cbam).toEqual(
    ['channel.fc1', 'channel.fc2', 'spatial.conv.conv', 'spatial.conv.bn'].map((name) => `layer1.1.se.${name}.weight`),
  );
});

test('ResNet-50 with block attention has the 28.09 M parameters of the paper, less the biases that timm leaves out', () => {
  const biases = [3, 4, 6, 3].reduce((sum, blocks, i) => sum + blocks * (256 + 16) * 2 ** i, 0);
  expect(((count(resnet50({ attention: 'cbam' })) + biases) / 1e6).toFixed(2)).toBe('28.09');
});

test('a depth that is not 6n + 2 is refused with the depths that work', () => {
  expect(() => resnet20({ depth: 21 })).toThrow('8, 14, 20');
});

test('a model without weights says what to do', () => {
  const [[, weight]] = smallResnet().parameters();
  expect(() => weight.value).toThrow('model.initialize(seed)');
});
