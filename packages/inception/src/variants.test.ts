import { type Classifier, selectBackend } from '@convkit/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { facenet, googlenet, googlenetModules, inceptionResnetV1, inceptionV2, inceptionV3, models } from './index.js';

const count = (model: Classifier) => [...model.parameters()].reduce((total, [, { size }]) => total + size, 0);

beforeAll(() => selectBackend('cpu'));

describe('published parameter counts', () => {
  const published: Record<string, number> = {
    googlenet: 6_624_904,
    googlenet_aux: 13_004_888,
    inception_v2: 11_295_240,
    inception_v3: 27_161_264,
    inception_v3_no_aux: 23_834_568,
    inception_v4: 42_679_816,
    inception_resnet_v1: 24_357_096,
    inception_resnet_v2: 55_843_464,
  };

  test.each(models.map((factory) => [factory.info.name, factory] as const))('%s', (name, factory) => {
    expect(count(factory())).toBe(published[name]);
  });

  test('belong to a variant each', () => {
    expect(models.map(({ info }) => info.name).sort()).toEqual(Object.keys(published).sort());
  });

  test('Inception-ResNet v1 in the form of FaceNet', () => {
    expect(count(inceptionResnetV1({ embedding: 512 }))).toBe(23_995_624);
    expect(count(inceptionResnetV1({ ...facenet, numClasses: 8631 }))).toBe(27_910_327);
  });
});

test("BN-Inception has Cadene's flat names, a convolution beside its normalisation", () => {
  const names = [...inceptionV2().modules()].map(([name]) => name).filter((name) => /conv|3c_|last/.test(name));
  expect(names).toEqual([
    ...['conv1_7x7_s2', 'conv1_7x7_s2_bn', 'conv2_3x3_reduce', 'conv2_3x3_reduce_bn', 'conv2_3x3', 'conv2_3x3_bn'],
    ...['inception_3c_3x3_reduce', 'inception_3c_3x3_reduce_bn', 'inception_3c_3x3', 'inception_3c_3x3_bn'],
    ...['inception_3c_double_3x3_reduce', 'inception_3c_double_3x3_reduce_bn'],
    ...['inception_3c_double_3x3_1', 'inception_3c_double_3x3_1_bn'],
    ...['inception_3c_double_3x3_2', 'inception_3c_double_3x3_2_bn'],
    'last_linear',
  ]);
});

test('two branches of one type, which the flat names cannot tell apart, are refused', () => {
  const branch = { type: '1x1', channels: 8 } as const;
  expect(() => inceptionV2({ modules: { '3a': [branch, branch] } })).toThrow('two give inception_3a_1x1');
});

test("torchvision's Inception v3 has TensorFlow's names", () => {
  const names = [...inceptionV3().modules()].map(([name]) => name).filter((name) => name.startsWith('Mixed_7b.'));
  expect(names.filter((name) => !/\.(conv|bn)$/.test(name))).toEqual(
    [
      'branch1x1',
      ...['branch3x3_1', 'branch3x3_2a', 'branch3x3_2b'],
      ...['branch3x3dbl_1', 'branch3x3dbl_2', 'branch3x3dbl_3a', 'branch3x3dbl_3b'],
      'branch_pool',
    ].map((name) => `Mixed_7b.${name}`),
  );
});

test("GoogLeNet's 5×5 filters are the paper's where torchvision has 3×3", () => {
  const shape = (modules: ReturnType<typeof googlenetModules>) => {
    const parameters = new Map(googlenet({ modules }).inception3a.parameters());
    return parameters.get('branch3.1.conv.weight')?.shape;
  };
  expect(shape(googlenetModules('3x3'))).toEqual([32, 16, 3, 3]);
  expect(shape(googlenetModules('5x5'))).toEqual([32, 16, 5, 5]);
});

test('published weights come with what they need', () => {
  const tables = models.flatMap(({ info }) => Object.values(info.weights ?? {}).map((weights) => ({ ...weights, info })));
  expect(tables.length).toBeGreaterThan(6);
  for (const { preprocessing, info, location } of tables) {
    expect(preprocessing, info.name).toMatchObject({ size: info.preprocessing.size, resize: expect.any(Number) as number });
    expect('repo' in location ? location.repo : location.url, info.name).toMatch(/^(timm\/|https?:\/\/)/);
  }
  expect(googlenet.info.weights?.['tv_in1k']?.config).toEqual({ auxiliary: true });
  expect(inceptionV2.info.weights?.['cadene']?.config).toEqual({ bgr: true });
});
