import { expect, test } from 'vitest';
import { confusionSvg } from './confusion.js';
import { curvesSvg } from './curves.js';
import { tradeoffsSvg } from './tradeoffs.js';

const epochs = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    epoch: i + 1,
    learningRate: 0.1 / (i + 1),
    train: { loss: 2 / (i + 1), top1: 0.5 },
    validation: { loss: 1 / (i + 1), top1: 0.25 },
  }));

/** The visible texts of a picture. */
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

test('the curves name axes, units and both lines', async () => {
  const svg = await curvesSvg('resnet20 on cifar10', epochs(5));
  const expected = ['resnet20 on cifar10', 'loss', 'top-1 accuracy (%)', 'learning rate', 'epoch', 'train', 'validation'];
  expect(texts(svg)).toEqual(expect.arrayContaining(expected));
  expect(svg.match(/#0072b2/g)?.length).toBeGreaterThan(2);
  expect(svg.match(/#d55e00/g)?.length).toBeGreaterThan(2);
});

test('a run without validation has no line for it, and a run of one epoch can be drawn', async () => {
  const [{ epoch, learningRate, train }] = epochs(1);
  const svg = await curvesSvg('one', [{ epoch, learningRate, train }]);
  expect(texts(svg)).not.toContain('validation');
  expect(svg).not.toMatch(/NaN/);
});

test('epochs whose loss is not a number leave a gap', async () => {
  const [first, second, third] = epochs(3);
  const svg = await curvesSvg('gap', [first, { ...second, validation: { loss: Number.NaN } }, third]);
  expect(svg).not.toMatch(/NaN/);
});

test('the confusion matrix shows every class and every count', async () => {
  const svg = await confusionSvg({
    title: 'two',
    subtitle: 'top-1 90 %',
    classes: ['cat & dog', 'ship'],
    counts: [
      [901, 12],
      [0, 87],
    ],
  });
  expect(texts(svg)).toEqual(
    expect.arrayContaining(['cat &amp; dog', 'ship', '901', '12', '87', 'true class', 'predicted class']),
  );
  expect(texts(svg)).not.toContain('0');
});

test('a class without images does not spoil the picture', async () => {
  const svg = await confusionSvg({
    title: 'empty',
    classes: ['a', 'b'],
    counts: [
      [0, 0],
      [1, 2],
    ],
  });
  expect(svg).not.toMatch(/NaN/);
});

test('the trade-offs show every model in both panels, and without accuracies only what they cost', async () => {
  const models = [
    { model: 'small', parameters: 2e5, latencyMs: { batch1: 5 }, top1: 0.91 },
    { model: 'large', parameters: 8e5, latencyMs: { batch1: 17 }, top1: 0.93 },
  ];
  const svg = await tradeoffsSvg('two', 'wasm', models);
  expect(texts(svg).filter((text) => text === 'large')).toHaveLength(2);
  expect(texts(svg)).toEqual(expect.arrayContaining(['top-1 accuracy (%)', 'ms an image, wasm', 'parameters']));
  const costs = await tradeoffsSvg(
    'costs',
    'wasm',
    models.map((model) => ({ ...model, top1: undefined })),
  );
  expect(texts(costs)).not.toContain('top-1 accuracy (%)');
  expect(texts(costs).filter((text) => text === 'large')).toHaveLength(1);
  expect(costs).not.toMatch(/NaN/);
});
