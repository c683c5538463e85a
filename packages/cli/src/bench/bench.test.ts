import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { Convkit, convkit, lastJson, temporaryFolder } from '../spawn.test-util.js';
import type { Row } from './measure.js';

const { path: dir, remove } = temporaryFolder();
afterAll(remove);

const common = [
  '--models',
  'resnet20',
  '--batch',
  '1',
  '--runs',
  '2',
  '--seconds',
  '0.5',
  '--python',
  'no-such-python',
  '--json',
];

test('bench measures convkit beside plain tfjs, which gives the same, and draws it', async () => {
  const outcome = await convkit(['bench', ...common, '--engines', 'convkit:wasm,tfjs:wasm', '--out', dir]);
  expect(outcome.code).toBe(0);
  const { machine, rows, absent, disagreements } = lastJson(outcome) as {
    machine: Record<string, unknown>;
    rows: Row[];
    absent: { engine: string; reason: string }[];
    disagreements: string[];
  };
  expect(machine).toMatchObject({ cores: expect.any(Number) as number, node: process.version });
  expect(rows.map(({ engine }) => engine)).toEqual(['convkit:wasm', 'tfjs:wasm']);
  for (const { work, medianMs, itemsPerSecond, peakBytes, ratio, runs } of rows) {
    expect(work).toBe('resnet20 inference, batch 1');
    expect(itemsPerSecond).toBeCloseTo(1000 / medianMs, 9);
    expect(peakBytes).toBeGreaterThan(2 ** 20);
    expect(ratio).toBeGreaterThan(0);
    expect(runs).toBeGreaterThan(0);
  }
  expect(disagreements).toEqual([]);
  expect(absent).toContainEqual({
    engine: 'pytorch',
    reason: 'no PyTorch with torchvision in no-such-python (--python names another)',
  });
  expect(readFileSync(join(dir, 'bench.svg'), 'utf8')).toMatch(/^<svg[^]*>tfjs:wasm<[^]*>resnet20 inference, batch 1</);
});

test('bench trains, and says which engine cannot', async () => {
  const outcome = await convkit(['bench', ...common, '--mode', 'training', '--engines', 'convkit:wasm,tfjs:wasm']);
  const { rows, failures } = lastJson(outcome) as { rows: Row[]; failures: { engine: string; reason: string }[] };
  expect(rows.map(({ engine, values }) => [engine, values.length])).toEqual([['convkit:wasm', 2]]);
  expect(rows[0].values[1]).toBeLessThan(rows[0].values[0]); // the step learned
  expect(failures).toMatchObject([{ engine: 'tfjs:wasm', reason: expect.stringMatching(/Conv2DBackpropFilter/) as string }]);
});

test('bench that is stopped leaves no files behind', async () => {
  vi.stubEnv('TMPDIR', dir);
  const run = new Convkit(['bench', ...common, '--engines', 'convkit:wasm', '--seconds', '60', '--runs', '10000']);
  vi.unstubAllEnvs();
  const folders = (): string[] => readdirSync(dir).filter((name) => name.startsWith('convkit-bench-'));
  await run.until(() => folders().length > 0);
  run.process.kill('SIGTERM');
  expect((await run.outcome).code).toBe(143);
  expect(folders()).toEqual([]);
});

test.each([
  ['an unknown engine', ['--engines', 'tensorflow'], /unknown engine 'tensorflow': expected all, convkit:/],
  ['an engine that is absent', ['--engines', 'pytorch'], /engine pytorch cannot be used: no PyTorch/],
])('%s is wrong usage', async (_, args, message) => {
  const { code, stderr } = await convkit(['bench', ...common, ...args]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
