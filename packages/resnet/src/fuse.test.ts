import { type Classifier, fuse, inference, selectBackend } from '@convkit/core';
import { fillInput, fillModel, goldenBackend } from '@convkit/model-tests';
import { memory, tensor4d } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { resnet18, resnet18d, resnet20, resnet50, resnext50_32x4d, seresnet50 } from './index.js';

beforeAll(() => selectBackend(goldenBackend));

const layers = [1, 1, 1, 1] as const;
const nets: Record<string, () => Classifier> = {
  resnet18,
  resnet50,
  resnet20,
  'a ResNet-D with block attention': () => resnet18d({ layers, attention: 'cbam' }),
  'a grouped ResNeXt': () => resnext50_32x4d({ layers }),
  'a ResNet with squeeze and excitation': () => seresnet50({ layers }),
};

test.each(Object.entries(nets))('%s fused gives the same logits, with every normalisation folded', async (_, create) => {
  const side = 64;
  const model = create();
  fillModel(model);
  model.preprocessing = { ...model.preprocessing, size: side };
  const x = tensor4d(fillInput([1, 3, side, side]), [1, side, side, 3]);
  const before = memory().numTensors;
  const fused = fuse(model);
  const normalisations = [...model.state()].filter(([name]) => name.endsWith('running_mean')).length;
  expect(memory().numTensors - before).toBe(2 * normalisations);

  const [plain, folded] = [model, fused].map((net) => net.forward(x, inference));
  const [expected, actual] = [await plain.data(), await folded.data()];
  const scale = Math.hypot(...expected);
  expect(Math.hypot(...actual.map((value, i) => value - expected[i])) / scale).toBeLessThan(1e-5);
  for (const used of [plain, folded, x, fused, model]) used.dispose();
});
