import { type Classifier, loadStateDict, selectBackend, stateDict, summarize } from '@convkit/core';
import { evaluateFilled, fillModel } from '@convkit/model-tests';
import { beforeAll, describe, expect, test } from 'vitest';
import { mobilenetV1_025, mobilenetV1_100, mobilenetV2, mobilenetV3Small, models, renameKerasV1, renameTimmV2 } from './index.js';
import { mobilenetV4ConvSmall, mobilenetV4HybridLarge, mobilenetV4HybridMedium } from './index.js';

const count = (model: Classifier) => [...model.parameters()].reduce((total, [, { size }]) => total + size, 0);

beforeAll(() => selectBackend('wasm'));

describe('published parameter counts', () => {
  const published: Record<string, number> = {
    mobilenetv1_025: 470_072,
    mobilenetv1_050: 1_331_592,
    mobilenetv1_075: 2_585_560,
    mobilenetv1_100: 4_231_976,
    mobilenetv1_125: 6_270_840,
    mobilenet_v2: 3_504_872,
    mobilenet_v2_035: 1_677_128,
    mobilenet_v2_050: 1_968_680,
    mobilenet_v2_075: 2_636_424,
    mobilenet_v2_140: 6_108_776,
    mobilenet_v3_small: 2_542_856,
    mobilenet_v3_large: 5_483_032,
    mobilenetv4_conv_small: 3_774_024,
    mobilenetv4_conv_small_050: 2_238_952,
    mobilenetv4_conv_medium: 9_715_512,
    mobilenetv4_conv_large: 32_590_864,
    mobilenetv4_hybrid_medium: 11_074_648,
    mobilenetv4_hybrid_large: 37_764_624,
  };

  test('every variant has one', () => {
    expect(models.map(({ info }) => info.name).sort()).toEqual(Object.keys(published).sort());
  });
  for (const [name, parameters] of Object.entries(published)) {
    test(`${name} has ${parameters} parameters`, () => {
      const factory = models.find(({ info }) => info.name === name);
      expect(factory && count(factory())).toBe(parameters);
    });
  }

  test('the hybrid MobileNets v4 of width 0.75 keep their stem and their head', () => {
    expect(count(mobilenetV4HybridMedium({ width: 0.75 }))).toBe(7_313_528);
    expect(count(mobilenetV4HybridLarge({ width: 0.75 }))).toBe(22_754_984);
  });
});

test.each([
  ['mobilenetv1_025', 41],
  ['mobilenetv1_050', 149],
  ['mobilenet_v2_035', 59],
  ['mobilenet_v2_050', 97],
  ['mobilenet_v2_075', 209],
])('%s needs the %i million multiply-adds that TensorFlow publishes', (name, millions) => {
  const factory = models.find(({ info }) => info.name === name)!;
  expect(Math.round(summarize(factory(), [224, 224]).macs / 1e6)).toBe(millions);
});

describe('padding', () => {
  const variants = [
    ['v1', (padding) => mobilenetV1_100({ width: 0.25, padding })],
    ['v2', (padding) => mobilenetV2({ width: 0.25, padding })],
    ['v3', (padding) => mobilenetV3Small({ width: 0.25, padding })],
    ['v4', (padding) => mobilenetV4HybridMedium({ width: 0.25, padding })],
  ] as const satisfies [string, (padding: 'same' | 'symmetric') => Classifier][];

  // Windows of stride 2 over 33 pixels need as many zeros on both sides, over 32 pixels one more on the right and below.
  test.each(variants)('MobileNet %s pads even maps in two ways and odd maps in one', async (_, create) => {
    const outputs = async (size: number) => {
      const both: Float32Array[] = [];
      for (const padding of ['same', 'symmetric'] as const) {
        const model = create(padding);
        fillModel(model);
        both.push((await evaluateFilled(model, [1, 3, size, size])).values);
        model.dispose();
      }
      const scale = Math.max(...both[0].map(Math.abs));
      return Math.max(...both[0].map((value, i) => Math.abs(value - both[1][i]))) / scale;
    };
    expect(await outputs(33)).toBeLessThan(1e-5);
    expect(await outputs(32)).toBeGreaterThan(1e-3);
  });

  test.each(models.map((factory) => [factory.info.name, factory] as const))(
    '%s takes both under the same names',
    (_, factory) => {
      const names = (padding: 'same' | 'symmetric') => [...factory({ padding }).state()].map(([name]) => name);
      expect(names('same')).toEqual(names('symmetric'));
    },
  );
});

describe('other names', () => {
  test("Keras' MobileNet v1 is renamed weight by weight", () => {
    const keras = ['conv1.weight', 'conv1_bn.running_var', 'conv_dw_1.weight', 'conv_pw_3_bn.bias', 'conv_dw_13.weight'];
    expect(keras.map(renameKerasV1)).toEqual([
      ...['conv_stem.weight', 'bn1.running_var', 'blocks.0.0.conv_dw.weight', 'blocks.1.1.bn2.bias', 'blocks.4.1.conv_dw.weight'],
    ]);
    expect(renameKerasV1('conv_preds.bias')).toBe('classifier.bias');
    expect(renameKerasV1('top.weight')).toBe('top.weight');
  });

  test("timm's MobileNet v2 loads strictly", async () => {
    const layers = (stage: number) =>
      stage === 0 ? ['conv_dw', 'bn1', 'conv_pw', 'bn2'] : ['conv_pw', 'bn1', 'conv_dw', 'bn2', 'conv_pwl', 'bn3'];
    const blocks = [1, 2, 3, 4, 3, 3, 1].flatMap((n, stage) =>
      Array.from({ length: n }, (_, i) => layers(stage).map((layer) => `blocks.${stage}.${i}.${layer}`)).flat(),
    );
    const statistics = ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'];
    const timm = ['conv_stem', 'bn1', ...blocks, 'conv_head', 'bn2'].flatMap((layer) =>
      (layer.includes('bn') ? statistics : ['weight']).map((tensor) => `${layer}.${tensor}`),
    );
    const names = [...timm, 'classifier.weight', 'classifier.bias'];
    const model = mobilenetV2({ width: 0.25, numClasses: 3 }).initialize(1);
    const values = [...(await stateDict(model)).values()]; // both in the order of the layers
    expect(loadStateDict(model, new Map(names.map((name, i) => [name, values[i]])), { rename: renameTimmV2 }).loaded.length).toBe(
      names.length,
    );
    expect(renameTimmV2('blocks.1.0.conv_dw.weight')).toBe('features.2.conv.1.0.weight');
    model.dispose();
  });
});

test('numClasses sets the width of the last layer', () => {
  for (const factory of models) {
    const last = [...factory({ numClasses: 7 }).parameters()].at(-1)!;
    expect([last[0].endsWith('bias'), [...last[1].shape]]).toEqual([true, [7]]);
  }
});

test('a thinner MobileNet v2 keeps 1280 features, a wider one has more', () => {
  const features = (width: number) => new Map(mobilenetV2({ width }).parameters()).get('classifier.1.weight')!.shape[1];
  expect([0.5, 1, 1.4].map(features)).toEqual([1280, 1280, 1792]);
});

test('depthwise convolutions start with N(0, 2 / k²), layer scales with 1e-5', async () => {
  const model = mobilenetV4HybridMedium({ numClasses: 2 }).initialize(3);
  const parameters = new Map(model.parameters());
  const kernels = await parameters.get('blocks.3.0.dw_mid.conv.weight')!.read();
  const variance = kernels.reduce((sum, value) => sum + value ** 2, 0) / kernels.length;
  expect(variance).toBeCloseTo(2 / 25, 2);
  expect(new Set(await parameters.get('blocks.2.4.layer_scale.gamma')!.read())).toEqual(new Set([Math.fround(1e-5)]));
  model.dispose();
});

test('the published weights of the thin MobileNets v1 are TensorFlow’s, so these see pixels from −1 to 1', () => {
  expect(mobilenetV1_025.info.preprocessing).toMatchObject({ size: 224, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
});

test('each MobileNet v4 has its own resolution', () => {
  expect(models.slice(-6).map(({ info }) => [info.name.replace('mobilenetv4_', ''), info.preprocessing.size])).toEqual([
    ['conv_small', 224],
    ['conv_small_050', 224],
    ['conv_medium', 256],
    ['conv_large', 384],
    ['hybrid_medium', 256],
    ['hybrid_large', 384],
  ]);
  expect(mobilenetV4ConvSmall.info.preprocessing.resize).toBe(256);
});
