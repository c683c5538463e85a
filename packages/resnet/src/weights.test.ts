import { sharedDir } from '@convkit/model-tests';
import { selectBackend, stateDict } from '@convkit/core';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { models, resnet20, resnet50 } from './variants.js';

beforeAll(async () => {
  await selectBackend('cpu');
});

test('every published table names a place, a plausible accuracy and a preprocessing', () => {
  const tables = models.flatMap(({ info }) =>
    Object.entries(info.weights ?? {}).map(([tag, weights]) => ({ ...weights, tag, info })),
  );
  expect(tables.length).toBeGreaterThan(25);
  for (const { tag, info, location, preprocessing, top1, top5, classes } of tables) {
    const where = `${info.name} ${tag}`;
    expect(tag, where).toMatch(/^\w+$/);
    expect('repo' in location ? `${location.repo}/${location.file}` : location.url, where).toMatch(/\.(safetensors|th)$/);
    expect(classes, where).toBe(info.dataset);
    expect(preprocessing.size, where).toBe(info.preprocessing.size);
    if (top1 !== undefined) expect(top1, where).toBeGreaterThan(0.6);
    if (top5 !== undefined) expect(top5, where).toBeGreaterThan(top1 ?? 1);
    if (top5 !== undefined) expect(top5, where).toBeLessThan(0.98);
  }
});

test("torchvision's two recipes have their own resize", () => {
  const { tv_in1k, tv2_in1k } = resnet50.info.weights ?? {};
  expect(Object.keys(resnet50.info.weights ?? {})[0]).toBe('tv_in1k');
  expect(tv_in1k).toMatchObject({ top1: 0.7613, location: { repo: 'timm/resnet50.tv_in1k', file: 'model.safetensors' } });
  expect([tv_in1k.preprocessing.resize, tv2_in1k.preprocessing.resize]).toEqual([256, 232]);
});

test.runIf(sharedDir !== undefined)("the author's PyTorch file loads under the names of the table", async () => {
  const folder = join(sharedDir ?? '', 'data/weights');
  const { rename, location } = resnet20.info.weights?.['akamaster'] ?? {};
  expect(location).toMatchObject({ sha256: '12fca82f' });
  const original = await resnet20.pretrained({ file: join(folder, 'resnet20-12fca82f.th'), ...(rename && { rename }) });
  const converted = await resnet20.pretrained(join(folder, 'cifar10_resnet20_akamaster.safetensors'));
  expect(original.classes[9]).toBe('truck');
  const [a, b] = [await stateDict(original), await stateDict(converted)];
  for (const [name, tensor] of b) if (!name.endsWith('num_batches_tracked')) expect(a.get(name), name).toEqual(tensor);
});
