import { type Classifier, loadStateDict, selectBackend, stateDict, summarize } from '@convkit/core';
import { evaluateFilled, fillModel } from '@convkit/model-tests';
import { beforeAll, describe, expect, test } from 'vitest';
import { compoundScaling, efficientnetB0, efficientnetB1, efficientnetV2M, efficientnetV2S, models } from './index.js';
import { renameTimm, renameTimmV2, renameTimmV2S, tfEfficientnetB0, tfEfficientnetV2M } from './index.js';

const count = (model: Classifier) => [...model.parameters()].reduce((total, [, { size }]) => total + size, 0);

beforeAll(() => selectBackend('wasm'));

describe('published parameter counts', () => {
  const published: Record<string, number> = {
    b0: 5_288_548,
    b1: 7_794_184,
    b2: 9_109_994,
    b3: 12_233_232,
    b4: 19_341_616,
    b5: 30_389_784,
    b6: 43_040_704,
    b7: 66_347_960,
    v2_s: 21_458_488,
    v2_m: 54_139_356,
    v2_l: 118_515_272,
  };
  for (const factory of models) {
    const parameters = published[factory.info.name.replace(/^(tf_)?efficientnet_?/, '')];
    test(`${factory.info.name} has ${parameters} parameters`, () => {
      expect(count(factory())).toBe(parameters);
    });
  }
});

describe('compound scaling', () => {
  test('depth, width and resolution are powers of their bases', () => {
    expect(compoundScaling({ phi: 0 })).toEqual({ depth: 1, width: 1, resolution: 224, cost: 1 });
    const { depth, width, resolution, cost } = compoundScaling({ phi: 2, alpha: 1.3, beta: 1.2, gamma: 1.1, resolution: 100 });
    expect([depth, width, resolution]).toEqual([1.3 ** 2, 1.2 ** 2, 121]);
    expect(cost).toBeCloseTo(1.3 ** 2 * 1.2 ** 4 * 1.1 ** 4);
    expect(compoundScaling({ phi: 1 }).cost).toBeCloseTo(1.92, 2); // ≈ 2, the paper's constraint
  });

  test('φ = 0.5 is B1', () => {
    const { depth, width, resolution } = compoundScaling({ phi: 0.5 });
    expect(resolution).toBe(efficientnetB1.info.preprocessing.size);
    const shapes = (model: Classifier) => [...model.state()].map(([name, { shape }]) => [name, ...shape]);
    expect(shapes(efficientnetB0({ depth, width: Math.round(width * 10) / 10 }))).toEqual(shapes(efficientnetB1()));
  });

  test('the cost of a net follows', () => {
    const scaled = compoundScaling({ phi: 2 });
    const size = [scaled.resolution, scaled.resolution] as const;
    const ratio = summarize(efficientnetB0(scaled), size).macs / summarize(efficientnetB0(), [224, 224]).macs;
    expect(ratio / scaled.cost).toBeGreaterThan(1); // layers are rounded up
    expect(ratio / scaled.cost).toBeLessThan(1.4);
  });

  test('refuses what would shrink the net', () => {
    expect(() => compoundScaling({ phi: -1 })).toThrow('phi must be 0 or more, found -1');
    expect(() => compoundScaling({ phi: 1, gamma: 0.9 })).toThrow('gamma must be 1 or more, found 0.9');
    expect(() => compoundScaling({ phi: Number.NaN })).toThrow('phi');
  });
});

describe('padding', () => {
  // Windows of stride 2 over 33 pixels need as many zeros on both sides, over 32 pixels one more on the right and below.
  test.each([
    ['EfficientNet', efficientnetB0],
    ['EfficientNetV2', efficientnetV2S],
  ])('%s pads even maps in two ways and odd maps in one', async (_, factory) => {
    const difference = async (size: number) => {
      const both: Float32Array[] = [];
      for (const padding of ['same', 'symmetric'] as const) {
        const model = factory({ width: 0.25, depth: 0.5, padding });
        fillModel(model);
        both.push((await evaluateFilled(model, [1, 3, size, size])).values);
        model.dispose();
      }
      const scale = Math.max(...both[0].map(Math.abs));
      return Math.max(...both[0].map((value, i) => Math.abs(value - both[1][i]))) / scale;
    };
    expect(await difference(33)).toBeLessThan(1e-5);
    expect(await difference(32)).toBeGreaterThan(1e-4);
  });

  test('the variants for weights of TensorFlow have its padding, and the same names', async () => {
    const small = { width: 0.25, depth: 0.5, numClasses: 5 };
    const [tensorflow, usual] = [tfEfficientnetB0(small), efficientnetB0({ ...small, padding: 'same' })];
    const asNamed = efficientnetB0({ ...small, padding: 'same', norm: { eps: 1e-3, momentum: 0.01 } });
    const outputs = [];
    for (const model of [tensorflow, asNamed, usual]) {
      fillModel(model);
      outputs.push([...(await evaluateFilled(model, [1, 3, 32, 32])).values]);
    }
    expect(outputs[0]).toEqual(outputs[1]);
    expect(outputs[0]).not.toEqual(outputs[2]); // eps
    expect([...tensorflow.state()].map(([name]) => name)).toEqual([...usual.state()].map(([name]) => name));
    for (const model of [tensorflow, asNamed, usual]) model.dispose();
    expect(tfEfficientnetV2M.info.preprocessing).toEqual({
      size: 480,
      interpolation: 'bicubic',
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    });
  });
});

describe("timm's names", () => {
  const norms = (name: string) =>
    ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((tensor) => `${name}.${tensor}`);
  const se = ['reduce', 'expand'].flatMap((part) => [`se.conv_${part}.weight`, `se.conv_${part}.bias`]);
  const first = ['conv_dw.weight', ...norms('bn1'), ...se, 'conv_pw.weight', ...norms('bn2')];
  const mbconv = [
    'conv_pw.weight',
    ...norms('bn1'),
    'conv_dw.weight',
    ...norms('bn2'),
    ...se,
    'conv_pwl.weight',
    ...norms('bn3'),
  ];
  const fused = ['conv_exp.weight', ...norms('bn1'), 'conv_pwl.weight', ...norms('bn2')];
  const conv = ['conv.weight', ...norms('bn1')];

  test.each([
    ['EfficientNet', efficientnetB0, renameTimm, [first, ...Array.from({ length: 6 }, () => mbconv)], [1, 2, 2, 3, 3, 4, 1]],
    ['EfficientNetV2-S', efficientnetV2S, renameTimmV2S, [conv, fused, fused, mbconv, mbconv, mbconv], [2, 4, 4, 6, 9, 15]],
    [
      'EfficientNetV2-M',
      efficientnetV2M,
      renameTimmV2,
      [conv, fused, fused, mbconv, mbconv, mbconv, mbconv],
      [3, 5, 5, 7, 14, 18, 5],
    ],
  ])('%s loads strictly under them', async (_, factory, rename, blocks, counts) => {
    const model = factory({ width: 0.125, numClasses: 3, head: 8 }).initialize(1);
    const values = [...(await stateDict(model)).values()]; // both in the order of the layers
    const inside = counts.flatMap((n, stage) =>
      Array.from({ length: n }, (__, i) => blocks[stage].map((tensor) => `blocks.${stage}.${i}.${tensor}`)).flat(),
    );
    const names = [
      'conv_stem.weight',
      ...norms('bn1'),
      ...inside,
      'conv_head.weight',
      ...norms('bn2'),
      'classifier.weight',
      'classifier.bias',
    ];
    expect(names.length).toBe(values.length);
    const { loaded } = loadStateDict(model, new Map(names.map((name, i) => [name, values[i]])), { rename });
    expect(loaded).toEqual([...model.state()].map(([name]) => name));
    expect(names.map(rename)).toEqual(loaded);
    model.dispose();
  });

  test('other names stay', () => {
    expect(['head.weight', 'blocks.0.0.attn.weight'].map(renameTimm)).toEqual(['head.weight', 'blocks.0.0.attn.weight']);
  });
});

test('each net has its own resolution', () => {
  expect(models.slice(0, 11).map(({ info }) => info.preprocessing.size)).toEqual([
    ...[224, 240, 288, 300, 380, 456, 528, 600],
    ...[384, 480, 480],
  ]);
});

test('numClasses sets the width of the last layer', () => {
  expect(new Map(efficientnetB0({ numClasses: 7 }).parameters()).get('classifier.1.weight')!.shape).toEqual([7, 1280]);
});
