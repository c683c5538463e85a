import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ArgumentError, ConvkitError } from '../errors.js';
import { Random } from '../random.js';
import type { Checkpoint } from '../train/checkpoint.js';
import { floatTensor, intScalar } from '../weights/host-tensor.js';
import { bundle, start, temporaryDirectory } from './__fixtures__/child.js';
import { faultyFileSystem } from './__fixtures__/faulty-fs.js';
import { type CheckpointDirectoryOptions, checkpointDirectory } from './checkpoint-directory.js';

const FILES = ['manifest.json', 'model.safetensors', 'optimizer.safetensors', 'progress.json'];

function checkpoint(step: number): Checkpoint {
  return {
    model: new Map([
      ['w', floatTensor(Float32Array.of(step, 0.1, -0), [3])],
      ['n', intScalar(step)],
    ]),
    optimizer: new Map([['w.momentum', floatTensor(Float32Array.of(step))]]),
    progress: { step, epoch: { done: [1, 2], best: null }, note: 'é' },
  };
}

const name = (step: number): string => `step-${String(step).padStart(8, '0')}`;

async function opened(options: CheckpointDirectoryOptions = {}, path?: string) {
  const damaged: string[] = [];
  const directory = path ?? join(await temporaryDirectory(), 'run');
  return {
    damaged,
    path: directory,
    store: checkpointDirectory(directory, { onDamaged: (message) => damaged.push(message), ...options }),
  };
}

const visible = async (path: string): Promise<string[]> => (await readdir(path)).filter((entry) => !entry.startsWith('.')).sort();

test('a checkpoint comes back as it was saved; the newest comes back, and only `keep` stay', async () => {
  const { store, path, damaged } = await opened();
  expect(await store.latest()).toBeUndefined();
  for (const step of [1, 2, 3]) await store.save(name(step), checkpoint(step));
  expect(await store.latest()).toEqual({ name: name(3), checkpoint: checkpoint(3) });
  expect(await visible(path)).toEqual([name(2), name(3)]);
  expect((await readdir(join(path, name(3)))).sort()).toEqual(FILES);
  expect(damaged).toEqual([]);
});

test('looking for a checkpoint writes nothing', async () => {
  const { store, path } = await opened();
  await store.latest();
  await store.best();
  expect(await readdir(join(path, '..'))).toEqual([]);
});

test('the newest is the one saved last, whatever the names, so a new run in an old directory keeps its own', async () => {
  const { store, path } = await opened();
  for (const step of [500, 501, 10]) await store.save(name(step), checkpoint(step));
  expect((await store.latest())?.name).toBe(name(10));
  expect(await visible(path)).toEqual([name(10), name(501)]);
  await store.save(name(10), checkpoint(99));
  expect((await store.latest())?.checkpoint).toEqual(checkpoint(99));
  expect((await store.latest())?.name).toBe(name(10));
});

test('the best is kept apart and replaced by the next best', async () => {
  const { store, path } = await opened({ keep: 1 });
  await store.saveBest(name(1), checkpoint(1));
  for (const step of [1, 2, 3]) await store.save(name(step), checkpoint(step));
  expect(await store.best()).toEqual({ name: name(1), checkpoint: checkpoint(1) });
  await store.saveBest(name(3), checkpoint(3));
  await store.saveBest(name(3), checkpoint(4));
  expect((await store.best())?.checkpoint).toEqual(checkpoint(4));
  expect(await visible(path)).toEqual([`best-${name(3)}.1`, name(3)]);
  expect((await store.latest())?.name).toBe(name(3));
});

test('saves that nobody waits for do not mix', async () => {
  const { store } = await opened();
  await Promise.all([1, 2, 3, 4, 5].map((step) => store.save(name(step), checkpoint(step))));
  expect((await store.latest())?.checkpoint).toEqual(checkpoint(5));
});

test('every one of 1,000 bit flips is found, reported in one line, and the checkpoint before is used', async () => {
  const { store, path, damaged } = await opened();
  await store.save(name(1), checkpoint(1));
  await store.save(name(2), checkpoint(2));
  const random = new Random(1);
  for (let flip = 0; flip < 1000; flip++) {
    const file = join(path, name(2), FILES[flip % FILES.length]);
    const bytes = await readFile(file);
    const [at, bit] = [random.int(bytes.length), 1 << random.int(8)];
    bytes[at] ^= bit;
    await writeFile(file, bytes);
    damaged.length = 0;
    expect((await store.latest())?.name, `${file} byte ${at} bit ${bit}`).toBe(name(1));
    expect(damaged).toEqual([expect.stringMatching(/^The checkpoint .*step-00000002 is damaged: .* passed over\.$/)]);
    bytes[at] ^= bit;
    await writeFile(file, bytes);
  }
  expect((await store.latest())?.name).toBe(name(2));
});

test('a cut, extended, empty or lost file is found as well', async () => {
  const { store, path, damaged } = await opened();
  await store.save(name(1), checkpoint(1));
  for (const file of FILES) {
    for (const damage of [
      (bytes: Uint8Array) => bytes.slice(0, -1),
      (bytes: Uint8Array) => Uint8Array.of(...bytes, 0),
      () => new Uint8Array(0),
      () => undefined,
    ]) {
      await store.save(name(2), checkpoint(2));
      const newest = (await visible(path)).at(-1) ?? '';
      const target = join(path, newest, file);
      const changed = damage(await readFile(target));
      if (changed) await writeFile(target, changed);
      else await rm(target);
      expect((await store.latest())?.name).toBe(name(1));
      await rm(join(path, newest), { recursive: true });
    }
  }
  expect(damaged.length).toBe(15); // a directory without a manifest is not taken for a checkpoint at all
});

test('keep never deletes the last one that can be loaded', async () => {
  const { store, path } = await opened({ keep: 1 });
  await store.save(name(1), checkpoint(1));
  // A disk that loses what it is given: every new checkpoint is damaged as soon as it is committed.
  const healthy = faultyFileSystem();
  const lossy = {
    ...healthy,
    rename: async (from: string, to: string) => {
      await healthy.rename(from, to);
      if (to.includes('step')) await writeFile(join(to, 'model.safetensors'), 'lost').catch(() => undefined);
    },
  };
  const { store: broken, damaged } = await opened({ keep: 1, fs: lossy }, path);
  for (const step of [2, 3, 4]) await broken.save(name(step), checkpoint(step));
  expect(damaged.length).toBeGreaterThan(0);
  expect((await store.latest())?.checkpoint).toEqual(checkpoint(1));
  await store.save(name(5), checkpoint(5));
  expect(await visible(path)).toEqual([name(5)]);
});

test('what is no checkpoint is neither read nor deleted', async () => {
  const { store, path } = await opened({ keep: 1 });
  await store.save(name(1), checkpoint(1));
  await writeFile(join(path, 'metrics.csv'), 'a,b');
  await writeFile(join(path, '.notes.tmp'), '');
  await store.save(name(2), checkpoint(2));
  expect((await readdir(path)).sort()).toEqual(['.lock', '.notes.tmp', 'metrics.csv', name(2)]);
});

/** Saves 1 and 2, then 3 with a fault; what a later run finds must be 2 or 3, whole. */
async function saveWithFault(fault: { at: number; code: 'EIO' | 'ENOSPC'; dead?: boolean }, powerCut: boolean) {
  const path = join(await temporaryDirectory(), 'run');
  const { store } = await opened({}, path);
  await store.save(name(1), checkpoint(1));
  await store.save(name(2), checkpoint(2));
  const fs = faultyFileSystem(fault);
  const faulty = await opened({ fs }, path);
  const error: unknown = await faulty.store.save(name(3), checkpoint(3)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (powerCut) await fs.losePower();
  const after = await opened({}, path);
  const latest = await after.store.latest();
  expect([checkpoint(2), checkpoint(3)]).toContainEqual(latest?.checkpoint);
  if (!error) expect(latest?.checkpoint).toEqual(checkpoint(3));
  expect(after.damaged).toEqual([]);
  if (error) expect(error).toBeInstanceOf(ConvkitError);
  await after.store.save(name(4), checkpoint(4));
  expect((await after.store.latest())?.checkpoint).toEqual(checkpoint(4));
  expect((await readdir(path)).filter((entry) => entry.endsWith('.tmp'))).toEqual([]);
  return { error, calls: fs.calls.length, reached: fs.calls.length >= fault.at };
}

test('a failure at any file-system call costs at most the checkpoint being saved', async () => {
  let failed = 0;
  for (let at = 1; ; at++) {
    const { error, reached } = await saveWithFault({ at, code: 'EIO' }, false);
    if (!reached) break;
    if (error) failed++;
  }
  expect(failed).toBeGreaterThan(20);
});

test('a process that dies at any call, with the power, leaves the last checkpoint whole', async () => {
  for (let at = 1; ; at++) if (!(await saveWithFault({ at, code: 'EIO', dead: true }, true)).reached) break;
});

test('a full disk is told in one line and the checkpoint before stays whole', async () => {
  let told = 0;
  for (let at = 8; at <= 24; at++) {
    const { error } = await saveWithFault({ at, code: 'ENOSPC', dead: true }, false);
    if (!error) continue;
    told++;
    expect((error as Error).message).toMatch(/^Cannot write .*: no space left on the disk; free some and try again\.[^\n]*$/);
  }
  expect(told).toBeGreaterThan(8);
});

test('a second process on the same directory is told who has it; a dead process has nothing', async () => {
  const directory = await temporaryDirectory();
  const program = await bundle(new URL('./__fixtures__/save-loop.ts', import.meta.url), directory);
  const path = join(directory, 'run');
  const child = start(program, [path]);
  while (child.lines.length === 0 && child.process.exitCode === null) await setTimeout(2);
  const { store } = await opened({}, path);
  await expect(store.save(name(1), checkpoint(1))).rejects.toThrow(`Process ${child.process.pid} is writing to ${path}`);
  child.process.kill('SIGKILL');
  await child.exited;
  await store.save(name(1), checkpoint(1));
  expect((await store.latest())?.checkpoint).toEqual(checkpoint(1));
});

test('what cannot be saved is refused before anything is written', async () => {
  const { store, path } = await opened();
  for (const bad of ['', '../x', 'a/b', '.hidden', 'best-1', 'x'.repeat(200)]) {
    await expect(store.save(bad, checkpoint(1))).rejects.toThrow(ArgumentError);
  }
  for (const bad of [NaN, Infinity, [undefined], new Date(), 1n, () => 0]) {
    await expect(store.save(name(1), { ...checkpoint(1), progress: { a: { b: bad } } })).rejects.toThrow(/progress\.a\.b/);
  }
  expect(await visible(path)).toEqual([]);
  expect(() => checkpointDirectory(path, { keep: 0 })).toThrow(ArgumentError);
});
