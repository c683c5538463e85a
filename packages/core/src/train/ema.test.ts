import { memory, tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selectBackend } from '../backend/select.js';
import { checkpointDirectory } from '../node/checkpoint-directory.js';
import { stateDict } from '../weights/state-dict.js';
import { Dense, MemoryStore, TinyNet, digest, tinySource } from './__fixtures__/tiny.js';
import type { Checkpoint } from './checkpoint.js';
import { Ema } from './ema.js';
import { NonFiniteError } from './non-finite.js';
import { sgd } from './optimizers.js';
import { constant, cosine } from './schedules.js';
import { type FitOptions, Trainer } from './trainer.js';

beforeAll(() => selectBackend('cpu'));

const trainer = (model: TinyNet | Dense) =>
  new Trainer(model, {
    optimizer: sgd({ momentum: 0.9, weightDecay: 1e-3, decayKernelsOnly: true }),
    schedule: cosine({ peak: 0.1 }),
    biasSchedule: ({ step }) => 0.2 / (step + 1),
    momentumSchedule: ({ step }) => Math.min(0.9, 0.5 + step / 20),
    ema: { decay: 0.9, ramp: 4 },
  });

async function run(store: MemoryStore, fit: Partial<FitOptions> = {}): Promise<{ last: Checkpoint; model: string }> {
  const model = new TinyNet();
  await trainer(model).fit(tinySource(), { epochs: 3, seed: 1, checkpoints: store, ...fit });
  const weights = digest([await stateDict(model)], {});
  model.dispose();
  return { last: store.saves.at(-1)!.checkpoint, model: weights };
}

const hash = ({ model, optimizer, average }: Checkpoint): string => digest([model, optimizer, average!], {});

test('the average follows its formula', async () => {
  const before = memory().numTensors;
  const net = new Dense().initialize(2);
  const ema = new Ema(net, { decay: 0.8, ramp: 3 });
  const expected = Float64Array.from(await net.fc1.weight.read());
  for (let step = 1; step <= 4; step++) {
    const next = Float32Array.from({ length: expected.length }, (_, i) => Math.sin(i * step));
    net.fc1.weight.set(next);
    ema.update(step);
    const decay = 0.8 * (1 - Math.exp(-step / 3));
    expected.forEach((value, i) => (expected[i] = decay * value + (1 - decay) * next[i]));
  }
  const found = (await ema.state()).get('fc1.weight')!.data as Float32Array;
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
  ema.dispose();
  net.dispose();
  expect(memory().numTensors).toBe(before);
});

test('a run with an average and schedules of its own resumes with the same bits', async () => {
  const whole = await run(new MemoryStore());
  const store = new MemoryStore();
  const stop = new AbortController();
  await run(store, { signal: stop.signal, loggers: [{ step: ({ step }) => void (step === 7 && stop.abort()) }] });
  const resumed = await run(store, { resume: true });
  expect(hash(resumed.last)).toBe(hash(whole.last));
  expect(resumed.model).toBe(whole.model);
});

test('validations and the finished model have the averages, the checkpoint has both', async () => {
  const model = new TinyNet();
  const store = new MemoryStore();
  const seen: string[] = [];
  await trainer(model).fit(tinySource(), {
    epochs: 2,
    checkpoints: store,
    validation: async () => {
      seen.push(digest([await stateDict(model)], {}));
      return { ap: seen.length };
    },
  });
  const { checkpoint } = store.saves.at(-1)!;
  const average = digest([checkpoint.average!], {});
  expect(seen[1]).toBe(average);
  expect(digest([await stateDict(model)], {})).toBe(average);
  expect(digest([checkpoint.model], {})).not.toBe(average);
  model.dispose();
});

test('the best epoch is that of the highest ap, where the validation gives one', async () => {
  const model = new Dense();
  const figures = [0.2, 0.5, 0.4];
  const { best, history } = await trainer(model).fit(tinySource(), {
    epochs: 3,
    validation: () => Promise.resolve({ ap: figures.shift()!, ap50: 1 }),
  });
  expect(best).toEqual({ epoch: 2, metric: 'ap', value: 0.5 });
  expect(history.map(({ validation }) => validation?.ap)).toEqual([0.2, 0.5, 0.4]);
  model.dispose();
});

test('the average comes back from a checkpoint directory', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'convkit-'));
  const model = new Dense();
  const store = checkpointDirectory(directory);
  await trainer(model).fit(tinySource(), { epochs: 1, checkpoints: store });
  const found = await store.latest();
  expect(digest([found!.checkpoint.average!], {})).toBe(digest([await stateDict(model)], {}));
  const plain = new Trainer(model, { optimizer: sgd(), schedule: constant({ peak: 0.1 }) });
  await plain.fit(tinySource(), { epochs: 1, checkpoints: checkpointDirectory(join(directory, 'plain')) });
  const latest = await checkpointDirectory(join(directory, 'plain')).latest();
  expect(latest!.checkpoint.average).toBeUndefined();
  model.dispose();
  rmSync(directory, { recursive: true });
});

test('a run without an average cannot be resumed with one', async () => {
  const model = new Dense();
  const store = new MemoryStore();
  const options = { optimizer: sgd(), schedule: constant({ peak: 0.1 }) };
  await new Trainer(model, options).fit(tinySource(), { epochs: 1, checkpoints: store });
  const resumed = new Trainer(model, { ...options, ema: {} }).fit(tinySource(), { epochs: 2, checkpoints: store, resume: true });
  await expect(resumed).rejects.toThrow('The checkpoint has no moving average of the weights');
  model.dispose();
});

test('a loss that is not finite leaves weights and average as they were', async () => {
  const model = new Dense().initialize(4);
  const before = digest([await stateDict(model)], {});
  const source = tinySource({ change: (batch) => batch.images.fill(Number.NaN) });
  await expect(trainer(model).fit(source, { epochs: 1 })).rejects.toThrow(NonFiniteError);
  expect(digest([await stateDict(model)], {})).toBe(before);
  model.dispose();
});

test.each([
  [{ decay: 1 }, 'decay must be in [0, 1), found 1'],
  [{ ramp: 0 }, 'ramp must be above 0, found 0'],
])('settings out of range are refused: %j', (options, message) => {
  const model = new Dense().initialize();
  expect(() => new Ema(model, options)).toThrow(message);
  model.dispose();
});

describe('an SGD step', () => {
  test('takes the momentum and the rates that it is given', async () => {
    const net = new Dense().initialize(1);
    const optimizer = sgd({ momentum: 0.9 }).bind(net.parameters());
    const [weight, bias] = [await net.fc2.weight.read(), await net.fc2.bias!.read()];
    const gradients = new Map([
      ['fc2.weight', tensor(new Float32Array(24).fill(1), net.fc2.weight.value.shape)],
      ['fc2.bias', tensor([1, 1, 1])],
    ]);
    for (let i = 0; i < 2; i++) optimizer.step(gradients, (name) => (name.endsWith('.bias') ? 0.1 : 0.01), 0.5);
    const moved = [await net.fc2.weight.read(), await net.fc2.bias!.read()];
    expect(weight[0] - moved[0][0]).toBeCloseTo(0.01 * (1 + 1.5), 6);
    expect(bias[0] - moved[1][0]).toBeCloseTo(0.1 * (1 + 1.5), 6);
    for (const gradient of gradients.values()) gradient.dispose();
    optimizer.dispose();
    net.dispose();
  });

  test('spares what has one axis the weight decay when so asked', async () => {
    const net = new Dense().initialize(1);
    const optimizer = sgd({ weightDecay: 0.5, decayKernelsOnly: true }).bind(net.parameters());
    net.fc2.bias!.set(Float32Array.of(1, 1, 1));
    const before = await net.fc2.weight.read();
    const gradients = new Map([
      ['fc2.weight', tensor(new Float32Array(24), net.fc2.weight.value.shape)],
      ['fc2.bias', tensor([0, 0, 0])],
    ]);
    optimizer.step(gradients, 0.1);
    expect([...(await net.fc2.bias!.read())]).toEqual([1, 1, 1]);
    expect((await net.fc2.weight.read())[0]).toBeCloseTo(before[0] * 0.95, 6);
    for (const gradient of gradients.values()) gradient.dispose();
    optimizer.dispose();
    net.dispose();
  });
});
