import { type ModelFactory, inputSize, selectBackend, summarize } from '@convkit/core';
import { expect, test } from 'vitest';
import { goldenBackend } from './describe-model.js';

/** Above this many multiply-adds a trace takes seconds; such variants are traced with the complete goldens. */
const QUICK = 2e9;

/** Every variant says how many multiply-adds an image of its size needs, and a trace counts as many. */
export function testMacs(models: readonly ModelFactory[]): void {
  test('the multiply-adds of each variant are those that a trace counts', { timeout: 300_000 }, async () => {
    await selectBackend(goldenBackend);
    const told = models.map(({ info }) => [info.name, info.macs]);
    const counted = models.map((create) => {
      const { info } = create;
      if (info.macs !== undefined && info.macs > QUICK && !process.env.CONVKIT_ALL_GOLDENS) return [info.name, info.macs];
      return [info.name, summarize(create(), inputSize(info.preprocessing)).macs];
    });
    expect(told).toEqual(counted);
  });
}
