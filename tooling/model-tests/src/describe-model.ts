import { createHash } from 'node:crypto';
import {
  type Classifier,
  type StateDict,
  decodeSafetensors,
  encodeSafetensors,
  loadStateDict,
  selectBackend,
  stateDict,
  summarize,
} from '@convkit/core';
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { fillModel } from './fill.js';
import { NOISE_FACTOR, type Golden, distance, expectGradients, expectTensor, readGolden, relative } from './golden.js';
import { evaluateFilled, trainFilled } from './run.js';

/** The backend that golden tests run on; CONVKIT_BACKEND names another. */
export const goldenBackend = process.env.CONVKIT_BACKEND ?? 'wasm';

/**
 * The tests that every model passes: what the reference says of its names, shapes, counts, outputs, gradients and
 * statistics, and what every model promises besides (batch mates do not matter, saving is exact, nothing leaks).
 */
export function describeModel(name: string, create: () => Classifier, goldenFile: URL): void {
  describe(name, () => {
    const golden = readGolden(goldenFile);
    const unit = golden.input?.includes('(u+1)/2') ?? false;
    beforeAll(() => selectBackend(goldenBackend));

    test('has the names, shapes and order of the reference, and as many parameters', () => {
      const model = create();
      expect([...model.state()].map(([entry, { shape }]) => [entry, [...shape]])).toEqual(Object.entries(golden.param_shapes));
      expect([...model.parameters()].reduce((total, [, { size }]) => total + size, 0)).toBe(golden.num_params);
    });

    test('needs the multiply-adds of the reference', () => {
      const [, , height, width] = golden.input_shape;
      expect(relative(summarize(create(), [height, width]).macs, golden.madds)).toBeLessThan(0.01);
    });

    test('gives the outputs of the reference', async () => {
      await withFilled(create, golden, async (model) => {
        for (const { input_shape, output, f32_vs_f64 } of [golden, ...golden.cases]) {
          const { values, shape } = await evaluateFilled(model, input_shape, { unit });
          expectTensor(values, shape, output, f32_vs_f64);
        }
      });
    });

    test('judges each image alone in evaluation mode', async () => {
      await withFilled(create, golden, async (model) => {
        const [, c, h, w] = golden.cases[0]?.input_shape ?? golden.input_shape;
        const both = await evaluateFilled(model, [2, c, h, w], { unit });
        const second = await evaluateFilled(model, [2, c, h, w], { unit, take: [1, 1] });
        const scale = Math.max(...both.values.map(Math.abs));
        const alone = both.values.slice(both.values.length / 2);
        for (const [i, value] of second.values.entries()) expect(Math.abs(value - alone[i])).toBeLessThanOrEqual(1e-5 * scale);
      });
    });

    test('is bit-equal after saving and loading', async () => {
      await withFilled(create, golden, async (model) => {
        const saved = await stateDict(model);
        const copy = create();
        try {
          loadStateDict(copy, decodeSafetensors(encodeSafetensors(saved)).tensors);
          expect(digest(await stateDict(copy))).toBe(digest(saved));
        } finally {
          copy.dispose();
        }
      });
    });

    const { train } = golden;
    if (!train) return;
    test('has the loss, gradients and batch statistics of the reference in training mode', async () => {
      await withFilled(create, golden, async (model) => {
        const step = await trainFilled(model, train, { unit });
        const tolerance = NOISE_FACTOR * Math.max(train.f32_vs_f64.loss_rel, 1e-6);
        expect(relative(step.loss, train.loss), 'relative difference of the loss').toBeLessThan(tolerance);
        // A loss may agree by chance where its logits stray as far as a typical gradient does (GoogLeNet: 1e-8 and 2.5e-5).
        const logitNoise = Math.max(tolerance, train.f32_vs_f64.grad_l2_median_rel ?? 0) / NOISE_FACTOR;
        expectTensor(step.logits.values, step.logits.shape, train.logits, { rel_l2: logitNoise });
        expect([...step.gradients.keys()].sort(), 'parameters with a gradient').toEqual(
          [...model.parameters()].map(([n]) => n).sort(),
        );
        expectGradients(step.gradients, train);
        const states = new Map(model.state());
        for (const [layer, expected] of Object.entries(train.bn_after)) {
          for (const field of ['running_mean', 'running_var'] as const) {
            const state = states.get(`${layer}.${field}`);
            if (!state || state.kind === 'counter') throw new Error(`The model has no ${layer}.${field}.`);
            const values = (await state.read()).subarray(0, expected[field].length);
            expect(distance(values, expected[field]), `${layer}.${field}`).toBeLessThan(tolerance);
          }
          expect(states.get(`${layer}.num_batches_tracked`)).toMatchObject({ value: expected.num_batches_tracked });
        }
      });
    });
  });
}

/** A hash of all names, types, shapes and bytes. */
function digest(state: StateDict): string {
  const hash = createHash('sha256');
  for (const [name, { dtype, shape, data }] of state) {
    hash.update(`${name} ${dtype} [${shape}]`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** Runs `use` on the model with the golden's weights, checks the weights' sums, and that nothing is left in memory. */
async function withFilled(create: () => Classifier, golden: Golden, use: (model: Classifier) => Promise<void>): Promise<void> {
  const before = memory().numTensors;
  const model = create();
  try {
    fillModel(model, golden.fill_rules);
    await use(model);
  } finally {
    model.dispose();
  }
  expect(memory().numTensors, 'tensors left in memory').toBe(before);
}
