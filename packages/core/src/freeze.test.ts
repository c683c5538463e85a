import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { selectBackend } from './backend/select.js';
import { freeze, unfreeze } from './freeze.js';
import { MemoryStore, TinyNet, digest, tinySource } from './train/__fixtures__/tiny.js';
import { adamw, sgd } from './train/optimizers.js';
import { constant } from './train/schedules.js';
import { Trainer, type TrainerOptions } from './train/trainer.js';
import { gradientStep } from './train/gradient-step.js';
import { crossEntropy } from './train/losses.js';
import { toTensor } from './train/tensors.js';
import { stateDict } from './weights/state-dict.js';

beforeAll(() => selectBackend('cpu'));

const options: TrainerOptions = { optimizer: adamw({ weightDecay: 0.1 }), schedule: constant({ peak: 0.05 }) };
const values = async (net: TinyNet) => new Map([...(await stateDict(net))].map(([name, { data }]) => [name, [...data].join()]));
const names = (net: TinyNet, changed: (name: string) => boolean) => [...net.state()].map(([name]) => name).filter(changed);

test('freeze takes a path with what is below it or an expression, and says what it froze', () => {
  const net = new TinyNet();
  expect(freeze(net, 'conv')).toEqual(['conv.weight', 'conv.bias']);
  expect(freeze(net, /bias$/g)).toEqual(['conv.bias', 'bn.bias', 'fc.bias']);
  expect(freeze(net, /bias$/g)).toHaveLength(3); // an expression with memory gives the same again
  expect(() => freeze(net, 'con')).toThrow('No parameter fits the pattern con; names are such as conv.weight');
  expect(unfreeze(net, 'fc')).toEqual(['fc.weight', 'fc.bias']);
  expect(unfreeze(net)).toHaveLength(6);
  expect([...net.parameters()].every(([, { trainable }]) => trainable)).toBe(true);
});

test('no gradient is computed for a frozen parameter, and the others are the same without', async () => {
  const net = new TinyNet().initialize(1);
  const before = memory().numTensors;
  for await (const batch of tinySource().epoch({ epoch: 0, seed: 1 })) {
    const x = toTensor(batch);
    const all = gradientStep(net, x, batch.labels, crossEntropy(), { training: false });
    freeze(net, /^(conv|bn)/);
    const some = gradientStep(net, x, batch.labels, crossEntropy(), { training: false });
    expect([...some.gradients.keys()]).toEqual(['fc.weight', 'fc.bias']);
    expect(some.gradients.get('fc.weight')!.dataSync()).toEqual(all.gradients.get('fc.weight')!.dataSync());
    freeze(net, 'fc');
    expect(() => gradientStep(net, x, batch.labels, crossEntropy(), { training: true })).toThrow('Every parameter is frozen');
    for (const step of [all, some]) step.dispose();
    x.dispose();
    break;
  }
  expect(memory().numTensors).toBe(before);
  net.dispose();
});

test('weights, running statistics and counters of frozen layers stay as they are, without weight decay', async () => {
  const net = new TinyNet().initialize(1);
  freeze(net, /^(conv|bn)\./);
  const before = await values(net);
  await new Trainer(net, options).fit(tinySource(), { epochs: 1 });
  const after = await values(net);
  expect(names(net, (name) => before.get(name) !== after.get(name))).toEqual(['fc.weight', 'fc.bias']);
  unfreeze(net, 'bn.weight');
  await new Trainer(net, options).fit(tinySource(), { epochs: 1 });
  const later = await values(net);
  expect(names(net, (name) => after.get(name) !== later.get(name))).toEqual([
    ...['bn.weight', 'bn.running_mean', 'bn.running_var', 'bn.num_batches_tracked', 'fc.weight', 'fc.bias'],
  ]);
  net.dispose();
});

describe('learning rates of layers', () => {
  test('the first pattern that fits sets the factor, and the rest learn at the full rate', async () => {
    const start = new TinyNet().initialize(1);
    const before = await stateDict(start);
    const step = async (rates: TrainerOptions['learningRates']) => {
      const net = new TinyNet().initialize(1);
      const trainer = new Trainer(net, { optimizer: sgd(), schedule: constant({ peak: 0.5 }), learningRates: rates });
      await trainer.fit(tinySource({ size: 4 }), { epochs: 1 });
      const after = await stateDict(net);
      net.dispose();
      return (name: string) => Number(after.get(name)!.data[0]) - Number(before.get(name)!.data[0]);
    };
    const plain = await step(undefined);
    const scaled = await step([
      { pattern: 'conv.weight', factor: 0.25 },
      { pattern: /^conv/, factor: 0.5 },
    ]);
    expect(scaled('conv.weight') / plain('conv.weight')).toBeCloseTo(0.25, 4);
    expect(scaled('fc.weight')).toBe(plain('fc.weight'));
    start.dispose();
  });

  test('a pattern that fits nothing and a factor that is not above 0 are refused', async () => {
    const net = new TinyNet();
    const fit = (pattern: string, factor: number) =>
      new Trainer(net, { ...options, learningRates: [{ pattern, factor }] }).fit(tinySource(), { epochs: 1 });
    await expect(fit('con', 1)).rejects.toThrow('No parameter fits');
    await expect(fit('conv', 0)).rejects.toThrow('or freeze it');
  });
});

test('a resumed run with frozen layers and rates of its own gives the bits of one that never stopped, and others are refused', async () => {
  const settings = { ...options, learningRates: [{ pattern: /^fc/, factor: 2 }] };
  const run = async (stopAt: number | undefined, store: MemoryStore, resume: boolean, trainer = settings) => {
    const net = new TinyNet().initialize(1);
    freeze(net, 'conv');
    const stop = new AbortController();
    const logger = { step: ({ step }: { step: number }) => void (step === stopAt && stop.abort()) };
    const fit = { epochs: 2, checkpoints: store, resume, signal: stop.signal, loggers: [logger] };
    await new Trainer(net, trainer).fit(tinySource(), fit);
    const { checkpoint } = store.saves.at(-1)!;
    net.dispose();
    return digest([checkpoint.model, checkpoint.optimizer], {});
  };
  const straight = await run(undefined, new MemoryStore(), false);
  const store = new MemoryStore();
  await run(3, store, false);
  await expect(run(undefined, store, true, { ...settings, learningRates: [] })).rejects.toThrow('learningRates (1: /^fc/ × 2)');
  const thawed = new Trainer(new TinyNet().initialize(1), settings).fit(tinySource(), {
    epochs: 2,
    checkpoints: store,
    resume: true,
  });
  await expect(thawed).rejects.toThrow('frozen (conv.weight, conv.bias)');
  expect(await run(undefined, store, true)).toBe(straight);
});
