import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectBackend } from '@convkit/core';
import { type BatchSource, type OptimizerFactory, type Schedule, Trainer } from '@convkit/core/train';
import { adam, adamw, constant, cosine, crossEntropy, rmsprop, sgd } from '@convkit/core/train';
import { fillModel, goldenBackend, sharedDir } from '@convkit/model-tests';
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { resnet20 } from './index.js';

interface Trajectory {
  lr: number[];
  loss: number[];
  label_smoothing: number;
  final_l2: Record<string, number>;
  f32_vs_f64: { loss_rel_per_step: number[] };
}

interface Trajectories {
  mean: number[];
  std: number[];
  batch: number;
  steps: number;
  runs: Record<string, Trajectory>;
}

const goldens = sharedDir && join(sharedDir, 'goldens/training/resnet20_trajectories.json');
const records = sharedDir && join(sharedDir, 'data/cifar10/cifar-10-batches-bin/data_batch_1.bin');
const present = goldens !== undefined && records !== undefined && existsSync(goldens) && existsSync(records);

/** The settings of the recorded runs; their schedules must also give the recorded learning rates. */
const runs: Record<string, { optimizer: OptimizerFactory; schedule: Schedule }> = {
  sgd_nesterov_wd: {
    optimizer: sgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
    schedule: constant({ peak: 0.01 }),
  },
  sgd_cosine_warmup_smoothing: {
    optimizer: sgd({ momentum: 0.9, weightDecay: 1e-4 }),
    schedule: cosine({ peak: 0.02, warmupSteps: 5 }),
  },
  adam: { optimizer: adam(), schedule: constant({ peak: 2e-4 }) },
  adamw: { optimizer: adamw({ weightDecay: 0.05 }), schedule: constant({ peak: 2e-4 }) },
  rmsprop: { optimizer: rmsprop({ alpha: 0.9, eps: 1e-3, momentum: 0.9 }), schedule: constant({ peak: 2e-4 }) },
};

/** CIFAR-10 records (label, then 32×32 red, green, blue) in file order, normalised, without augmentation. */
function inFileOrder(bytes: Buffer, { mean, std, batch, steps }: Trajectories): BatchSource {
  return {
    size: batch * steps,
    batchesPerEpoch: steps,
    classes: Array.from({ length: 10 }, (_, c) => String(c)),
    async *epoch() {
      for (let step = 0; step < steps; step++) {
        const images = new Float32Array(batch * 3072);
        const labels = new Int32Array(batch);
        for (let n = 0; n < batch; n++) {
          const record = (step * batch + n) * 3073;
          labels[n] = bytes[record];
          for (let i = 0; i < 3072; i++) {
            const c = i % 3;
            images[n * 3072 + i] = (bytes[record + 1 + c * 1024 + (i - c) / 3] / 255 - mean[c]) / std[c];
          }
        }
        await Promise.resolve();
        yield { images, shape: [batch, 32, 32, 3], labels };
      }
    },
  };
}

/**
 * The net amplifies rounding from step to step. The scale is how far PyTorch's own float32 has strayed from its float64 by
 * this step, in the worst of the runs: one activation that rounds to the other side of a ReLU changes gradients of the first
 * stage by 2e-3 and the next loss by 1e-5 (seen between tfjs' own backends), and it is chance in which run that happens first.
 */
function tolerance({ runs }: Trajectories, step: number): number {
  const noise = Object.values(runs).flatMap(({ f32_vs_f64 }) => f32_vs_f64.loss_rel_per_step.slice(0, step + 1));
  return step === 0 ? 2e-6 : Math.max(1e-4, 20 * Math.max(...noise));
}

// The first steps always; all twenty with CONVKIT_ALL_GOLDENS=1.
describe.runIf(present)('training ResNet-20 on CIFAR-10', () => {
  const golden = present ? (JSON.parse(readFileSync(goldens, 'utf8')) as Trajectories) : undefined;
  const steps = process.env.CONVKIT_ALL_GOLDENS ? (golden?.steps ?? 0) : 4;
  beforeAll(() => selectBackend(goldenBackend));

  test('every recorded run is followed', () => {
    expect(Object.keys(golden!.runs)).toEqual(Object.keys(runs));
  });

  test.each(Object.keys(runs))('%s follows PyTorch within the noise of float32', async (name) => {
    const expected = golden!.runs[name];
    const { optimizer, schedule } = runs[name];
    const model = resnet20({ numClasses: 10 });
    fillModel(model);
    const losses: number[] = [];
    const rates: number[] = [];
    const tensors: number[] = [];
    const trainer = new Trainer(model, { optimizer, schedule, loss: crossEntropy({ labelSmoothing: expected.label_smoothing }) });
    const step = (record: { loss: number; learningRate: number }) => {
      losses.push(record.loss);
      rates.push(record.learningRate);
      tensors.push(memory().numTensors);
    };
    const stop = new AbortController();
    const stopper = (record: { step: number }) => void (record.step === steps && stop.abort());
    const source = inFileOrder(readFileSync(records!), golden!);
    await trainer.fit(source, { epochs: 1, loggers: [{ step }, { step: stopper }], signal: stop.signal });

    rates.forEach((rate, i) => expect(rate).toBeCloseTo(expected.lr[i], 14));
    losses.forEach((loss, i) => {
      const error = Math.abs(loss / expected.loss[i] - 1);
      expect(error, `step ${i + 1}: loss ${loss}, PyTorch ${expected.loss[i]}`).toBeLessThan(tolerance(golden!, i));
    });
    expect(losses.length).toBe(steps);
    for (const [weight, state] of model.state()) {
      if (state.kind === 'counter') expect(state.value).toBe(steps);
      else if (steps === golden!.steps && /(conv\d|linear)\.weight/.test(weight)) {
        const norm = Math.hypot(...(await state.read()));
        expect(Math.abs(norm / expected.final_l2[weight] - 1), weight).toBeLessThan(2e-2);
      }
    }
    expect(new Set(tensors.slice(1)).size).toBe(1);
    model.dispose();
  });
});
