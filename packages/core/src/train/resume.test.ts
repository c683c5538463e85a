import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { selectBackend } from '../backend/select.js';
import { testBackends } from '../backend/test-backends.test-util.js';
import { FormatError } from '../errors.js';
import { accuracy } from '../metrics/accuracy.js';
import { confusionMatrix } from '../metrics/confusion.js';
import { MemoryStore, TinyNet, digest, tinySource } from './__fixtures__/tiny.js';
import type { Logger } from './logger.js';
import { adamw, sgd } from './optimizers.js';
import { cosine } from './schedules.js';
import { type FitOptions, type FitResult, Trainer, type TrainerOptions } from './trainer.js';

const EPOCHS = 3;
const STEPS = 15;

interface Run {
  result: FitResult;
  store: MemoryStore;
  log: Map<number, string>;
  /** Over weights, buffers, optimizer and position of the newest checkpoint. */
  hash: string;
}

async function run(
  fit: Partial<FitOptions>,
  options: Partial<TrainerOptions> = {},
  store = new MemoryStore(),
  log = new Map<number, string>(),
): Promise<Run> {
  const model = new TinyNet();
  const trainer = new Trainer(model, {
    optimizer: adamw(),
    schedule: cosine({ peak: 0.05, warmupEpochs: 1 }),
    metrics: [accuracy(), confusionMatrix(['left', 'middle', 'right'])],
    ...options,
  });
  const logger: Logger = {
    step: ({ step, loss, learningRate, metrics }) => void log.set(step, JSON.stringify([loss, learningRate, metrics])),
    epoch: ({ epoch, train, validation }) => void log.set(-epoch, JSON.stringify([train, validation])),
  };
  const loggers = [...(fit.loggers ?? []), logger];
  const result = await trainer.fit(tinySource(), {
    epochs: EPOCHS,
    validation: tinySource({ size: 7 }),
    checkpoints: store,
    seed: 3,
    ...fit,
    loggers,
  });
  const { checkpoint } = store.saves.at(-1)!;
  const { epoch, batches, step, loss, metrics, best } = checkpoint.progress;
  model.dispose();
  return {
    result,
    store,
    log,
    hash: digest([checkpoint.model, checkpoint.optimizer], { epoch, batches, step, loss, metrics, best }),
  };
}

/** Stops a run at this step, then resumes it in a new model to its end. */
async function interrupted(at: number, options: Partial<TrainerOptions> = {}): Promise<Run> {
  const stop = new AbortController();
  const first = await run(
    { signal: stop.signal, loggers: [{ step: ({ step }) => void (step === at && stop.abort()) }] },
    options,
  );
  expect(first.result).toMatchObject({ stopped: true, steps: at });
  return run({ resume: true }, options, first.store, first.log);
}

describe.each(testBackends)('on %s', (backend) => {
  beforeAll(() => selectBackend(backend));

  test('a run resumed from any step gives the bits of one that never stopped', async () => {
    const straight = await run({});
    expect(straight.result).toMatchObject({ stopped: false, epochs: EPOCHS, steps: STEPS, checkpoint: 'epoch-0003' });
    for (let at = 1; at < STEPS; at++) {
      const resumed = await interrupted(at);
      expect(resumed.hash, `stopped at step ${at}`).toBe(straight.hash);
      expect([...resumed.log].sort()).toEqual([...straight.log].sort());
      expect(resumed.result.history.map(({ train, validation }) => [train, validation])).toEqual(
        straight.result.history.map(({ train, validation }) => [train, validation]),
      );
    }
  });

  test.each([
    ['accumulation and clipping', { accumulate: 2, clipNorm: 0.5 }, 4],
    ['momentum', { optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 1e-3 }) }, 7],
  ])('so it does with %s', async (_, options, at) => {
    expect((await interrupted(at, options)).hash).toBe((await run({}, options)).hash);
  });

  test('a run stopped ten times gives the bits of one that never stopped', async () => {
    const straight = await run({});
    const store = new MemoryStore();
    for (let part = 0; part < 10; part++) {
      const stop = new AbortController();
      let steps = 0;
      await run(
        { resume: true, signal: stop.signal, loggers: [{ step: () => void (++steps === 1 + (part % 2) && stop.abort()) }] },
        {},
        store,
      );
    }
    expect((await run({ resume: true }, {}, store)).hash).toBe(straight.hash);
  });

  test('a run that dies without a last save goes on from the checkpoint before, with the same bits', async () => {
    const straight = await run({});
    const store = new MemoryStore();
    const dying: Logger = { step: ({ step }) => { if (step === 9) throw new Error('killed'); } }; // prettier-ignore
    const { numTensors } = memory();
    await expect(run({ checkpointEverySteps: 4, loggers: [dying] }, {}, store)).rejects.toThrow('killed');
    expect(store.saves.map(({ name }) => name)).toEqual(['epoch-0000-batch-000004', 'epoch-0001', 'epoch-0001-batch-000003']);
    expect((await run({ resume: true }, {}, store)).hash).toBe(straight.hash);
    expect(memory().numTensors - numTensors).toBeLessThan(10); // the weights of the model that died, nothing else
  });

  test('a signal during the validation stops the run there, and the resumed one validates first', async () => {
    const straight = await run({});
    const stop = new AbortController();
    const first = await run({
      signal: stop.signal,
      loggers: [{ validation: ({ epoch }) => void (epoch === 2 && stop.abort()) }],
    });
    expect(first.result).toMatchObject({ stopped: true, epochs: 1, steps: 10, checkpoint: 'epoch-0001-batch-000005' });
    const steps: number[] = [];
    const resumed = await run(
      { resume: true, loggers: [{ step: ({ step }) => void steps.push(step) }] },
      {},
      first.store,
      first.log,
    );
    expect(steps).toEqual([11, 12, 13, 14, 15]);
    expect(resumed.hash).toBe(straight.hash);
    expect([...resumed.log].sort()).toEqual([...straight.log].sort());
  });

  test('a signal that came before the first step saves the start', async () => {
    const { result, store } = await run({ signal: AbortSignal.abort() });
    expect(result).toMatchObject({ stopped: true, steps: 0, checkpoint: 'epoch-0000' });
    expect((await run({ resume: true }, {}, store)).hash).toBe((await run({})).hash);
  });

  test('a finished run can be resumed with more epochs', async () => {
    const { store } = await run({ epochs: 2 });
    const info: unknown[] = [];
    const { result } = await run({ resume: true, loggers: [{ start: (run) => void info.push(run) }] }, {}, store);
    expect(info).toMatchObject([{ epochs: 3, stepsPerEpoch: 5, totalSteps: 15, resumed: { epoch: 2, step: 10 } }]);
    expect(result.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
  });

  test('without a checkpoint, resume starts the run', async () => {
    expect((await run({ resume: true })).hash).toBe((await run({})).hash);
  });

  test('a checkpoint of another run is refused with what differs, and the model stays as it was', async () => {
    const { store } = await run({ epochs: 1 });
    const attempt = (fit: Partial<FitOptions>, options: Partial<TrainerOptions> = {}) =>
      run({ resume: true, ...fit }, options, store);
    await expect(attempt({ seed: 4 })).rejects.toThrow(/differs in seed \(checkpoint 3, this run 4\)\. Resume with its settings/);
    await expect(attempt({}, { optimizer: sgd() })).rejects.toThrow('optimizer (checkpoint adamw, this run sgd)');
    await expect(attempt({}, { accumulate: 2 })).rejects.toThrow('accumulate (checkpoint 1, this run 2)');
    await expect(attempt({}, { metrics: [] })).rejects.toThrow('The checkpoint has 2 metrics; the run has 0');
    const model = new TinyNet();
    const trainer = new Trainer(model, { optimizer: adamw(), schedule: cosine({ peak: 0.1 }) });
    const fit = trainer.fit(tinySource({ batchSize: 10 }), { epochs: 1, checkpoints: store, resume: true, seed: 3 });
    await expect(fit).rejects.toThrow(FormatError);
    await expect(fit).rejects.toThrow('batchesPerEpoch (checkpoint 5, this run 2)');
    expect(model.fc.weight.initialized).toBe(false);
    store.saves[0].checkpoint.progress.config = {
      ...(store.saves[0].checkpoint.progress.config as object),
      parameters: ['conv.weight', 'head.weight'],
    };
    await expect(attempt({})).rejects.toThrow('parameters (conv.bias, bn.weight, bn.bias and 3 more)');
    store.saves[0].checkpoint.progress = { version: 7 };
    await expect(attempt({})).rejects.toThrow('(version 7, expected 1)');
  });

  test('weights that are not finite are never saved', async () => {
    const store = new MemoryStore();
    const optimizer = { ...sgd(), bind: (parameters: Iterable<readonly [string, unknown]>) => ({ ...none, parameters }) };
    const none = {
      kind: 'sgd',
      step: () => undefined,
      snapshot: () => ({ restore: () => undefined, dispose: () => undefined }),
      state: () => Promise.resolve(new Map()),
      load: () => undefined,
      dispose: () => undefined,
    };
    const model = new TinyNet().initialize(1);
    model.bn.running_var.set(Float32Array.of(1, 1, Infinity, 1));
    const trainer = new Trainer(model, { optimizer, schedule: cosine({ peak: 0.1 }) });
    await expect(trainer.fit(tinySource(), { epochs: 1, checkpoints: store })).rejects.toThrow('the weight bn.running_var');
    expect(store.saves).toEqual([]);
    model.dispose();
  });
});
