import { features, inference, reverseChannels, selectBackend } from '@convkit/core';
import { type BatchSource, Trainer, accuracy, constant, sgd } from '@convkit/core/train';
import { describeModel, fillInput, fillModel, goldenBackend, sharedGoldens, testOverfits } from '@convkit/model-tests';
import { memory, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type Branch,
  type GoogLeNetConfig,
  InceptionModule,
  googlenet,
  googlenetAux,
  inceptionResnetV1,
  inceptionV2,
  inceptionV3,
  models,
} from './index.js';

beforeAll(() => selectBackend(goldenBackend));

const fixture = (name: string) => new URL(`__fixtures__/${name}.json`, import.meta.url);
const plain = { dropout: 0, auxiliaryDropout: 0 };

describeModel('googlenet_aux', () => googlenetAux(plain), fixture('googlenet_aux'));
describeModel('inception_v2', inceptionV2, fixture('inception_v2'));
describeModel('inception_resnet_v1', () => inceptionResnetV1({ embedding: 512, dropout: 0 }), fixture('inception_resnet_v1'));

/** One branch of each type. */
const branches: readonly Branch[] = [
  { type: '1x1', channels: 4 },
  { type: '3x3', reduce: 2, channels: 4 },
  { type: '5x5', reduce: 2, channels: 4 },
  { type: 'double3x3', reduce: 2, channels: 4 },
  { type: 'dilated3x3', reduce: 2, channels: 4, dilation: 2 },
  { type: 'factorised', reduce: 2, channels: 4, size: 7 },
  { type: 'pool', pool: 'max', channels: 4 },
  { type: 'pool', pool: 'avg', channels: 4 },
];
const wider = branches.map((branch) => ({ ...branch, channels: 16, reduce: 8 })) as readonly Branch[];
const tiny = Object.fromEntries(
  ['3a', '3b', '4a', '4b', '4c', '4d', '4e', '5a', '5b'].map((name) => [name, name === '3a' ? wider : wider.slice(0, 3)]),
) as GoogLeNetConfig['modules'];

testOverfits('a GoogLeNet of own modules', () => googlenet({ ...plain, modules: tiny, numClasses: 4 }), { size: 32, steps: 80 });

describe('an Inception module', () => {
  const x = () => tensor4d(fillInput([1, 6, 8, 8]), [1, 8, 8, 6]);

  test('joins the channels of its branches, in their order', () => {
    const module = new InceptionModule(6, branches);
    fillModel(module);
    expect(module.channels).toBe(32);
    tidy(() => {
      const y = module.forward(x(), inference);
      expect(y.shape).toEqual([1, 8, 8, 32]);
      const last = module.parts().at(-1)![1].forward(x(), inference);
      expect([...y.dataSync()].filter((_, i) => i % 32 >= 28)).toEqual([...last.dataSync()]);
    });
    module.dispose();
  });

  test('has filters as wide as their types say', () => {
    const shapes = new Map([...new InceptionModule(6, branches).parameters()].map(([name, { shape }]) => [name, shape]));
    expect(shapes.get('branch1.conv.weight')).toEqual([4, 6, 1, 1]);
    expect(shapes.get('branch3.1.conv.weight')).toEqual([4, 2, 5, 5]);
    expect(shapes.get('branch4.2.conv.weight')).toEqual([4, 4, 3, 3]);
    expect(shapes.get('branch6.1.conv.weight')).toEqual([4, 2, 1, 7]);
    expect(shapes.get('branch6.2.conv.weight')).toEqual([4, 4, 7, 1]);
    expect(shapes.get('branch7.1.conv.weight')).toEqual([4, 6, 1, 1]);
  });

  test('sees as far as a branch of its type does', () => {
    const reach = (branch: Branch) => {
      const module = new InceptionModule(1, [branch]);
      fillModel(module);
      const at = (value: number) => {
        const image = new Float32Array(15 * 15);
        image[7 * 15 + 7] = value;
        return tidy(() => module.forward(tensor4d(image, [1, 15, 15, 1]), inference).dataSync());
      };
      const [zero, one] = [at(0), at(9)];
      const touched = [...one.keys()].filter((i) => Math.abs(one[i] - zero[i]) > 1e-6).map((i) => i >> 3);
      module.dispose();
      const rows = touched.map((pixel) => Math.abs(Math.floor(pixel / 15) - 7));
      return 2 * Math.max(...rows) + 1;
    };
    const wide = { reduce: 8, channels: 8 };
    expect(reach({ type: '1x1', channels: 8 })).toBe(1);
    expect(reach({ type: '3x3', ...wide })).toBe(3);
    expect(reach({ type: '5x5', ...wide })).toBe(5);
    expect(reach({ type: 'double3x3', ...wide })).toBe(5);
    expect(reach({ type: 'dilated3x3', ...wide, dilation: 3 })).toBe(7);
    expect(reach({ type: 'factorised', ...wide, size: 7 })).toBe(7);
    expect(reach({ type: 'pool', pool: 'avg', channels: 8 })).toBe(3);
  });

  test('halves the size where all branches have stride 2, and passes the pooled input on', () => {
    const module = new InceptionModule(6, [
      { type: '3x3', reduce: 2, channels: 4, stride: 2 },
      { type: 'pool', pool: 'max', stride: 2 },
    ]);
    fillModel(module);
    expect(module.channels).toBe(10);
    tidy(() => void expect(module.forward(x(), inference).shape).toEqual([1, 4, 4, 10]));
    module.dispose();
  });
});

test('transformInput turns ImageNet normalisation into that of the weights', () => {
  const transformed = googlenet({ modules: tiny, numClasses: 3, transformInput: true });
  const direct = googlenet({ modules: tiny, numClasses: 3 });
  for (const model of [transformed, direct]) fillModel(model);
  tidy(() => {
    const pixels = fillInput([1, 3, 32, 32], { unit: true });
    const [mean, std] = [
      [0.485, 0.456, 0.406],
      [0.229, 0.224, 0.225],
    ];
    const imagenet = tensor4d(
      pixels.map((v, i) => (v - mean[i % 3]) / std[i % 3]),
      [1, 32, 32, 3],
    );
    const half = tensor4d(
      pixels.map((v) => (v - 0.5) / 0.5),
      [1, 32, 32, 3],
    );
    const [a, b] = [transformed.forward(imagenet, inference).dataSync(), direct.forward(half, inference).dataSync()];
    a.forEach((value, i) => expect(value).toBeCloseTo(b[i], 4));
  });
  transformed.dispose();
  direct.dispose();
});

test('auxiliary heads are asked for their logits in training alone', () => {
  const model = googlenetAux({ ...plain, modules: tiny, numClasses: 3 });
  fillModel(model);
  const weights: number[] = [];
  tidy(() => {
    const image = tensor4d(fillInput([1, 3, 32, 32]), [1, 32, 32, 3]);
    model.forward(image, inference);
    model.forward(image, { training: false, auxiliary: (logits, weight) => weights.push(weight * logits.shape[1]!) });
  });
  expect(weights.map((weight) => weight / 3)).toEqual([0.3, 0.3]);
  model.dispose();
});

test('the trainer adds the losses of auxiliary heads, and reports the accuracy of the net', async () => {
  const before = memory().numTensors;
  const model = googlenetAux({ ...plain, modules: tiny, numClasses: 4 }).initialize(1);
  const batch = { images: fillInput([4, 3, 32, 32]), shape: [4, 32, 32, 3] as [number, number, number, number] };
  const source: BatchSource = {
    size: 4,
    batchesPerEpoch: 1,
    classes: model.classes,
    async *epoch() {
      yield { ...batch, labels: Int32Array.of(0, 1, 2, 3) };
    },
  };
  const trainer = new Trainer(model, { optimizer: sgd(), schedule: constant({ peak: 1e-3 }), metrics: [accuracy()] });
  const { history } = await trainer.fit(source, { epochs: 2, validation: source });
  // four classes that nothing is known of yet: ln 4 from each head
  expect(history[0].train['loss']).toBeGreaterThan(1.45 * Math.log(4));
  expect(history[0].validation?.['loss']).toBeLessThan(1.45 * Math.log(4));
  expect(history[0].train['top1']).toBeLessThanOrEqual(1);
  model.dispose();
  expect(memory().numTensors).toBe(before);
});

test.each(models.map((factory) => [factory.info.name, factory] as const))('the stages of %s are what they say', (_, factory) => {
  const model = factory({ numClasses: 2 });
  for (const [, state] of model.state()) if (state.kind !== 'counter') state.set(new Float32Array(state.size));
  const names = model.stages.map(({ name }) => name);
  expect(model.stages.map(({ stride }) => stride)).toEqual(names.length === 5 ? [2, 4, 8, 16, 32] : [8, 16, 32]);
  tidy(() => {
    features(model, tensor4d(fillInput([1, 3, 96, 96]), [1, 96, 96, 3]), names).forEach(({ shape }, i) => {
      const { stride, channels } = model.stages[i];
      expect(shape[3]).toBe(channels);
      expect(Math.abs(shape[1]! - 96 / stride)).toBeLessThan(5); // some convolutions are not padded
    });
  });
  model.dispose();
});

test('new classes give auxiliary heads too', () => {
  const model = googlenetAux({ ...plain, modules: tiny, numClasses: 3 })
    .initialize(1)
    .replaceHead(5);
  const shapes = new Map([...model.parameters()].map(([name, { shape }]) => [name, shape]));
  expect(['fc', 'aux1.fc2', 'aux2.fc2'].map((name) => shapes.get(`${name}.weight`)?.[0])).toEqual([5, 5, 5]);
  expect(inceptionV3().heads).toEqual(['fc', 'AuxLogits.fc']);
  model.dispose();
});

test('weights of blue, green, red take images of red, green, blue', () => {
  const modules = { '3a': [{ type: '1x1', channels: 4 }] } as const;
  const [rgb, bgr] = [inceptionV2({ modules, numClasses: 3 }), inceptionV2({ modules, numClasses: 3, bgr: true })];
  for (const model of [rgb, bgr]) fillModel(model);
  tidy(() => {
    const image = tensor4d(fillInput([1, 3, 32, 32]), [1, 32, 32, 3]);
    expect([...bgr.forward(image, inference).dataSync()]).toEqual([...rgb.forward(reverseChannels(image), inference).dataSync()]);
  });
  rgb.dispose();
  bgr.dispose();
});

describe.runIf(process.env.CONVKIT_ALL_GOLDENS)('complete goldens', () => {
  const all = [...sharedGoldens('googlenet'), ...sharedGoldens('inception')];
  for (const [name, file] of all) {
    const factory = models.find(({ info }) => info.name === name);
    if (!factory) throw new Error(`There is a golden for ${name}, but no such variant.`);
    describeModel(name, () => factory(plain), file);
  }
});
