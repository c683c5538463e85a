import { fuse, inference, selectBackend } from '@convkit/core';
import { fillInput, fillModel, goldenBackend } from '@convkit/model-tests';
import { memory, tensor4d } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { resnet18, resnet18d, resnet20, resnet50, resnext50_32x4d, seresnet50 } from './index.js';

beforeAll(() => selectBackend(goldenBackend));

const nets = { resnet18, resnet18d, resnet50, resnext50_32x4d, seresnet50, resnet20 };

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
  // the gates of seresnet50, with these weights, differ by 1.5e-5 between tfjs' own backends already
  const scale = Math.hypot(...expected);
  expect(Math.hypot(...actual.map((value, i) => value - expected[i])) / scale).toBeLessThan(create === seresnet50 ? 3e-5 : 1e-5);
  for (const used of [plain, folded, x, fused, model]) used.dispose();
});
