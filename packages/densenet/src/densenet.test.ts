import {
  type Classifier,
  Random,
  concat,
  decodeSafetensors,
  encodeSafetensors,
  loadStateDict,
  selectBackend,
  stateDict,
} from '@convkit/core';
import { crossEntropy, gradientStep } from '@convkit/core/train';
import { describeModel, fillInput, fillModel, goldenBackend, sharedGoldens, testOverfits } from '@convkit/model-tests';
import { type Tensor, memory, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { DenseBlock, type DenseNetConfig, densenet100K12Bc, densenet121, densenet40K12, models } from './index.js';

beforeAll(() => selectBackend(goldenBackend));

describeModel('densenet121', densenet121, new URL('__fixtures__/densenet121.json', import.meta.url));

const small = { blocks: [3, 3], growthRate: 8, numClasses: 8 } as const;
testOverfits('a DenseNet', () => densenet40K12(small), { size: 8 });
testOverfits('a DenseNet-BC that recomputes', () => densenet100K12Bc({ ...small, recompute: true, dropout: 0.05 }), { size: 8 });

describe('recomputation', () => {
  async function step(config: Partial<DenseNetConfig>) {
    const model = densenet100K12Bc({ ...small, ...config });
    fillModel(model);
    const x = tensor4d(fillInput([4, 3, 16, 16]), [4, 16, 16, 3]);
    const before = memory().numTensors;
    let buffers = 0;
    const loss = (logits: Tensor, labels: Int32Array) => {
      buffers = memory().numDataBuffers;
      return crossEntropy()(logits, labels);
    };
    const pass = gradientStep(model, x, Int32Array.of(0, 1, 2, 3), loss, { training: true, random: new Random(1) });
    const values: [string, number[]][] = [['loss', [...(await pass.loss.data())]]];
    for (const [name, gradient] of pass.gradients) values.push([name, [...(await gradient.data())]]);
    pass.dispose();
    expect(memory().numTensors).toBe(before);
    const statistics = [...(await stateDict(model))].filter(([name]) => /running|tracked/.test(name));
    model.dispose();
    x.dispose();
    return { values, statistics, buffers };
  }

  test('gives the loss, gradients and statistics of the plain pass, and keeps less', async () => {
    const [plain, again] = [await step({ recompute: false }), await step({ recompute: true })];
    expect(again.statistics).toEqual(plain.statistics);
    plain.values.forEach(([name, expected], i) => {
      expect(again.values[i][0]).toBe(name);
      const scale = Math.max(...expected.map(Math.abs));
      for (const [k, value] of expected.entries()) {
        expect(Math.abs(again.values[i][1][k] - value), name).toBeLessThanOrEqual(1e-5 * scale + 1e-9);
      }
    });
    expect(again.buffers).toBeLessThan(plain.buffers - 5 * 6); // of each of the six layers its inside
  });

  test('uses the same dropout masks in both passes', async () => {
    const config = { recompute: true, dropout: 0.5 };
    const [one, two] = [await step(config), await step(config)];
    expect(two.values).toEqual(one.values);
    expect(one.values[0]).not.toEqual((await step({ recompute: true })).values[0]);
  });
});

test("a dense block's layers add to what came before, in order", () => {
  const block = new DenseBlock(3, 2, { growthRate: 2, bottleneck: 0, dropout: 0, recompute: false }).initialize(1);
  tidy(() => {
    const x = tensor4d(fillInput([1, 3, 4, 4]), [1, 4, 4, 3]);
    const [first, second] = block.parts().map(([, layer]) => layer);
    const ctx = { training: false };
    const y1 = concat([x, first.forward(x, ctx)]);
    const expected = concat([y1, second.forward(y1, ctx)]);
    expect([...block.forward(x, ctx).dataSync()]).toEqual([...expected.dataSync()]);
    expect(expected.shape).toEqual([1, 4, 4, 7]);
  });
  block.dispose();
});

test("torchvision's old names and JasonWei05's load as the names of today", async () => {
  const load = (create: () => Classifier, rename: (name: string) => string) => async () => {
    const source = create().initialize(1);
    const saved = await stateDict(source);
    const target = create();
    const file = encodeSafetensors(new Map([...saved].map(([name, tensor]) => [rename(name), tensor])));
    loadStateDict(target, decodeSafetensors(file).tensors);
    expect(await stateDict(target)).toEqual(saved);
    source.dispose();
    target.dispose();
  };
  const bc = () => densenet100K12Bc(small);
  await load(bc, (name) => name.replace(/(norm|conv)([12])\./, '$1.$2.'))();
  await load(bc, (name) =>
    name
      .replace(/denselayer(\d+)/, (_, i: string) => `block.${Number(i) - 1}`)
      .replace('features.norm5', 'bn')
      .replace('features.conv0', 'conv0')
      .replace('classifier', 'fc')
      .replace('norm', 'bn'),
  )();
});

describe.runIf(process.env.CONVKIT_ALL_GOLDENS)('complete goldens', () => {
  for (const [name, file] of sharedGoldens('densenet')) {
    const factory = models.find(({ info }) => info.name === name);
    if (!factory) throw new Error(`There is a golden for ${name}, but no such variant.`);
    describeModel(name, factory, file);
  }
});
