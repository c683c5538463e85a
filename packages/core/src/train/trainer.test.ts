import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { selectBackend } from '../backend/select.js';
import { testBackends } from '../backend/test-backends.test-util.js';
import { accuracy } from '../metrics/accuracy.js';
import { confusionMatrix } from '../metrics/confusion.js';
import type { Module } from '../module.js';
import { stateDict } from '../weights/state-dict.js';
import { Dense, MemoryStore, TinyNet, digest, tinySource } from './__fixtures__/tiny.js';
import { evaluate } from './evaluate.js';
import type { EpochRecord, Logger, StepRecord } from './logger.js';
import { NonFiniteError } from './non-finite.js';
import { adam, sgd } from './optimizers.js';
import { constant } from './schedules.js';
import { type FitOptions, Trainer, type TrainerOptions } from './trainer.js';

const trainerFor = (model: Module, options: Partial<TrainerOptions> = {}): Trainer =>
  new Trainer(model, {
    optimizer: sgd({ momentum: 0.9 }),
    schedule: constant({ peak: 0.05 }),
    metrics: [accuracy()],
    ...options,
  });

/** Trains a dense net from the same weights, and gives what became of them. */
async function trained(
  options: Partial<TrainerOptions>,
  source = tinySource(),
  fit: Partial<FitOptions> = {},
): Promise<Float32Array> {
  const model = new Dense().initialize(5);
  await trainerFor(model, options).fit(source, { epochs: 1, ...fit });
  const weights = await model.fc1.weight.read();
  model.dispose();
  return weights;
}

describe.each(testBackends)('on %s', (backend) => {
  beforeAll(() => selectBackend(backend));

  test('a net learns the training images by heart', async () => {
    const model = new TinyNet();
    const trainer = trainerFor(model, { optimizer: adam(), schedule: constant({ peak: 0.02 }) });
    const { history, steps, epochs, stopped } = await trainer.fit(tinySource(), { epochs: 40, validation: tinySource() });
    expect([epochs, steps, stopped]).toEqual([40, 200, false]);
    expect(history.at(-1)?.validation?.top1).toBe(1);
    expect(history.at(-1)?.validation?.loss).toBeLessThan(0.3 * history[0].train.loss);
    expect(model.bn.num_batches_tracked.value).toBe(200);
    const { loss, images, top1 } = await evaluate(model, tinySource(), { metrics: [accuracy()] });
    expect({ loss, top1 }).toEqual(history.at(-1)?.validation);
    expect(images).toBe(20);
    model.dispose();
  });

  test('the number of tensors is the same after 10 and after 2,000 steps', async () => {
    const model = new Dense();
    const counts: number[] = [];
    const logger: Logger = { step: ({ step }) => void (step % 400 === 10 && counts.push(memory().numTensors)) };
    const { steps } = await trainerFor(model, { optimizer: adam(), clipNorm: 0.1 }).fit(tinySource({ batchSize: 1 }), {
      epochs: 100,
      loggers: [logger],
    });
    expect(steps).toBe(2000);
    expect(counts.length).toBe(5);
    expect(new Set(counts).size).toBe(1);
    model.dispose();
    expect(memory().numTensors).toBeLessThan(counts[0]);
  });

  test('accumulated batches give the step of one large batch', async () => {
    const small = await trained({ accumulate: 5 }, tinySource({ batchSize: 2 }));
    const large = await trained({}, tinySource({ batchSize: 10 }));
    small.forEach((value, i) => expect(Math.abs(value - large[i])).toBeLessThan(2e-7));
    // 20 images: 3 batches of 6 and one of 2, two to a step: the mean is over 12 and over 8 images
    const uneven = await trained({ accumulate: 2 }, tinySource({ batchSize: 6 }));
    const reference = await trained({ schedule: ({ step }) => (step < 2 ? 0.05 : 0) }, tinySource({ batchSize: 12 }));
    uneven.forEach((value, i) => expect(Math.abs(value - reference[i])).toBeLessThan(2e-7));
  });

  test('clipping scales the gradients of all parameters to the norm given', async () => {
    const records: StepRecord[] = [];
    const loggers: Logger[] = [{ step: (record) => void records.push(record) }];
    const source = tinySource({ size: 4 });
    const once = { optimizer: sgd(), schedule: constant({ peak: 1 }) };
    const start = await trained({ ...once, schedule: constant({ peak: 0 }) }, source);
    const free = await trained(once, source, { loggers });
    const norm = records[0].gradientNorm ?? NaN;
    const clipped = await trained({ ...once, clipNorm: norm / 10 }, source);
    start.forEach((value, i) => expect(clipped[i] - value).toBeCloseTo((free[i] - value) / 10, 6));
    expect(await trained({ ...once, clipNorm: norm * 10 }, source)).toEqual(free);
  });

  test('loggers hear of the start, every step, every epoch and the end, and are waited for', async () => {
    const heard: string[] = [];
    const say = async (what: string) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      heard.push(what);
    };
    const epochs: EpochRecord[] = [];
    const steps: StepRecord[] = [];
    const logger: Logger = {
      start: ({ totalSteps, resumed }) => say(`start ${totalSteps} ${resumed.step}`),
      step: (record) => (steps.push(record), say(`step ${record.epoch}.${record.stepInEpoch}`)),
      validation: ({ done, total }) => say(`validation ${done}/${total}`),
      epoch: (record) => (epochs.push(record), say(`epoch ${record.epoch}`)),
      end: () => say('end'),
    };
    const model = new Dense();
    const options = { epochs: 2, validation: tinySource({ size: 8, batchSize: 8 }), loggers: [logger] };
    await trainerFor(model).fit(tinySource({ batchSize: 12 }), options);
    const epoch = (n: number) => [`step ${n}.1`, `step ${n}.2`, 'validation 8/8', `epoch ${n}`];
    expect(heard).toEqual(['start 4 0', ...epoch(1), ...epoch(2), 'end']);
    expect(steps[3]).toMatchObject({
      epoch: 2,
      step: 4,
      stepInEpoch: 2,
      stepsPerEpoch: 2,
      totalSteps: 4,
      learningRate: 0.05,
      images: 8,
    });
    expect(Object.keys(steps[3].metrics)).toEqual(['top1']);
    expect(epochs[0].train.loss).toBeCloseTo((steps[0].loss * 12 + steps[1].loss * 8) / 20, 12);
    expect(Object.keys(epochs[1].validation ?? {})).toEqual(['loss', 'top1']);
    model.dispose();
  });

  test('weights that are loaded stay, missing ones get the seed’s initial values', async () => {
    const model = new Dense();
    model.fc1.weight.set(new Float32Array(144).fill(0.25));
    await trainerFor(model, { schedule: constant({ peak: 0 }) }).fit(tinySource(), { epochs: 1, seed: 9 });
    expect((await model.fc1.weight.read())[0]).toBe(0.25);
    const fresh = new Dense().initialize(9);
    expect(await model.fc2.weight.read()).toEqual(await fresh.fc2.weight.read());
    model.dispose();
    fresh.dispose();
  });

  test.each([
    ['the images', NaN, (model: TinyNet) => model],
    ['the weight conv.weight', 0, (model: TinyNet) => (model.conv.weight.set(new Float32Array(72).fill(Infinity)), model)],
    ['the output of fc', 0, (model: TinyNet) => (model.fc.weight.set(new Float32Array(12).fill(3e38)), model)],
  ])('a loss that is not finite stops the run before a bit changes, and %s is named', async (origin, pixel, prepare) => {
    const model = prepare(new TinyNet().initialize(1));
    const before = digest([await stateDict(model)]);
    const tensors = memory().numTensors;
    const source = tinySource({ change: ({ images }) => void (pixel === 0 ? images.fill(9) : (images[3] = pixel)) });
    let ended = false;
    const fit = trainerFor(model).fit(source, { epochs: 1, loggers: [{ end: () => void (ended = true) }] });
    const error = await fit.then(() => undefined, (e: unknown) => e); // prettier-ignore
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error).toMatchObject({ step: 1, origin });
    expect((error as Error).message).toMatch(/^Step 1: (the loss is NaN|a gradient is not finite); the first value that is not/);
    expect(digest([await stateDict(model)])).toBe(before);
    expect(ended).toBe(true);
    expect(memory().numTensors).toBe(tensors);
    model.dispose();
  });

  test('a gradient that is not finite stops the run before a bit changes', async () => {
    const model = new Dense().initialize(1);
    // pixels of 1e30 times weights of 1e-30: the logits are finite, but the gradient's squares are beyond float32
    model.fc1.weight.set(new Float32Array(144).fill(1e-30));
    const source = tinySource({ change: ({ images }) => images.forEach((_, i) => (images[i] *= 1e30)) });
    const before = digest([await stateDict(model)]);
    const fit = trainerFor(model).fit(source, { epochs: 1 });
    await expect(fit).rejects.toThrow(
      'a gradient is not finite; the first value that is not finite is in the gradient of fc1.weight.',
    );
    expect(digest([await stateDict(model)])).toBe(before);
    model.dispose();
  });

  test('1,000 steps that throw leave no tensor behind', async () => {
    const model = new TinyNet().initialize(1);
    const trainer = trainerFor(model);
    const source = tinySource({ size: 2, batchSize: 2, change: ({ labels }) => void (labels[1] = 3) });
    const { numTensors } = memory();
    for (let i = 0; i < 1000; i++) await expect(trainer.fit(source, { epochs: 1 })).rejects.toThrow('label 3 is outside 0 … 2');
    expect(memory().numTensors).toBe(numTensors);
    expect(model.bn.num_batches_tracked.value).toBe(0);
    model.dispose();
  });

  test('the best epoch is the one with the highest validation top1, and NaN never is', async () => {
    const model = new Dense();
    const store = new MemoryStore();
    const losses = [NaN, 0.5, 0.4, 0.9];
    const tops = [NaN, 0.5, 0.75, 0.75];
    let epoch = 0;
    const figures = {
      fresh: () => figures,
      update: () => undefined,
      result: () => ({ top1: tops[epoch], loss: losses[epoch] }),
      state: () => [],
      load: () => undefined,
    };
    const result = await trainerFor(model, { metrics: [figures] }).fit(tinySource(), {
      epochs: 4,
      validation: tinySource({ size: 4 }),
      checkpoints: store,
      loggers: [{ epoch: () => void epoch++ }],
    });
    expect(result.best).toEqual({ epoch: 3, metric: 'top1', value: 0.75 });
    expect(store.best).toBe('epoch-0003');
    model.dispose();
  });

  test('evaluation reports over all images, batch by batch, and fills the metrics it was given', async () => {
    const model = new TinyNet().initialize(2);
    const confusion = confusionMatrix(['left', 'middle', 'right']);
    const seen: number[] = [];
    const tensors = memory().numTensors;
    const evaluation = () =>
      evaluate(model, tinySource({ batchSize: 8 }), {
        metrics: [accuracy(), confusion],
        onProgress: ({ done }) => void seen.push(done),
      });
    const scores = await evaluation();
    expect(await evaluation()).toMatchObject({ loss: scores.loss, top1: scores.top1 });
    expect(seen).toEqual([8, 16, 20, 8, 16, 20]);
    expect(
      confusion
        .toJSON()
        .counts.flat()
        .reduce((a, b) => a + b),
    ).toBe(20);
    expect(scores.top1).toBeCloseTo(confusion.toJSON().counts.reduce((sum, row, i) => sum + row[i], 0) / 20, 12);
    expect(memory().numTensors).toBe(tensors);
    model.dispose();
  });

  test('a source that ends early and options that cannot work are errors', async () => {
    const model = new Dense();
    const source = { ...tinySource(), batchesPerEpoch: 9 };
    await expect(trainerFor(model).fit(source, { epochs: 1 })).rejects.toThrow('promised 9 batches an epoch and ended after 5');
    await expect(trainerFor(model).fit(source, { epochs: 0 })).rejects.toThrow(
      'epochs must be a whole number from 1 up, found 0',
    );
    await expect(trainerFor(model).fit(source, { epochs: 1, resume: true })).rejects.toThrow('resume needs `checkpoints`');
    expect(() => trainerFor(model, { accumulate: 0.5 })).toThrow('found 0.5');
    expect(() => trainerFor(model, { clipNorm: 0 })).toThrow('found 0');
    model.dispose();
  });
});
