import { type Classifier, features, selectBackend } from '@convkit/core';
import { memory, zeros } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { goldenBackend } from './describe-model.js';

/** The stages that a model declares are what its modules give: names, strides and channels. */
export function testStages(name: string, create: () => Classifier, side: number): void {
  test(`${name} has the strides and channels that its stages declare`, async () => {
    await selectBackend(goldenBackend);
    const before = memory().numTensors;
    const model = create();
    for (const [, state] of model.state()) if (state.kind !== 'counter') state.set(new Float32Array(state.size));
    const x = zeros([1, side, side, 3]);
    const names = model.stages.map((stage) => stage.name);
    expect(names.length).toBeGreaterThan(1);
    const outputs = features(model, x, names);
    expect(outputs.map(({ shape }, i) => ({ name: names[i], stride: side / shape[1]!, channels: shape[3] }))).toEqual(
      model.stages,
    );
    const strides = model.stages.map(({ stride }) => stride);
    expect(strides).toEqual([...strides].sort((a, b) => a - b));
    for (const tensor of [...outputs, x]) tensor.dispose();
    model.dispose();
    expect(memory().numTensors, 'tensors left in memory').toBe(before);
  });
}
