/**
 * SIGKILLs a process that saves checkpoints without pause. 20 kills by default; the long form:
 * `CONVKIT_KILLS=200 npx vitest run --config ../../vitest.config.ts src/node/checkpoint-directory.kill`.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Random } from '../random.js';
import type { Checkpoint } from '../train/checkpoint.js';
import { bundle, start, temporaryDirectory } from './__fixtures__/child.js';
import { checkpointDirectory } from './checkpoint-directory.js';

const kills = Number(process.env['CONVKIT_KILLS'] ?? 20);

/** The step of a checkpoint, after a check that nothing in it is of another step. */
function stepOf({ model, optimizer, progress }: Checkpoint): number {
  const step = progress['step'] as number;
  for (const dict of [model, optimizer]) {
    expect([...dict.keys()]).toEqual(['a', 'b', 'c']);
    for (const { data } of dict.values()) expect((data as Float32Array).every((value) => value === step)).toBe(true);
  }
  return step;
}

test(`after each of ${kills} kills the newest checkpoint is whole, not older than the last finished save, and nothing piles up`, async () => {
  const directory = await temporaryDirectory();
  const program = await bundle(new URL('./__fixtures__/save-loop.ts', import.meta.url), directory);
  const path = join(directory, 'checkpoints');
  const random = new Random(kills);
  const seen = { unfinished: 0, saved: 0 };
  let reached = 0;
  for (let kill = 0; kill < kills; kill++) {
    const child = start(program, [path]);
    while (child.lines.length === 0 && child.process.exitCode === null) await setTimeout(2);
    await setTimeout(random.uniform(0, 60));
    child.process.kill('SIGKILL');
    const { stderr } = await child.exited;
    expect(stderr).toBe('');
    expect(child.lines.filter((line) => line.startsWith('damaged'))).toEqual([]);
    const finished = (what: string): number =>
      Math.max(0, ...child.lines.filter((l) => l.startsWith(what)).map((l) => Number(l.split(' ')[1])));
    const damaged: string[] = [];
    const store = checkpointDirectory(path, { onDamaged: (message) => damaged.push(message) });
    const latest = await store.latest();
    const best = await store.best();
    expect(damaged).toEqual([]);
    if (!latest) throw new Error('no checkpoint is whole');
    expect(stepOf(latest.checkpoint)).toBeGreaterThanOrEqual(finished('saved'));
    if (finished('best') > 0) expect(best && stepOf(best.checkpoint)).toBeGreaterThanOrEqual(finished('best'));
    expect(stepOf(latest.checkpoint)).toBeGreaterThan(reached);
    reached = stepOf(latest.checkpoint);
    seen.saved += finished('saved') > 0 ? 1 : 0;
    const names = await readdir(path);
    seen.unfinished += names.some((name) => name.endsWith('.tmp')) ? 1 : 0;
    expect(names.length).toBeLessThan(9); // .lock, 2 + 1 steps, 1 + 1 best, what one kill left unfinished
  }
  if (process.env['CONVKIT_KILLS'])
    console.log(`${kills} kills, ${seen.unfinished} of them inside a save, ${reached} checkpoints: 0 damaged, 0 mixed`);
  expect(seen.saved).toBe(kills);
  expect(seen.unfinished).toBeGreaterThan(kills / 10); // the kills do hit saves
}, 3_600_000);
