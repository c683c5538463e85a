import { readFileSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { ConvkitError } from '../errors.js';
import { errorCode, fileError, isRunning, writeFileAtomic } from './files.js';

/** The locks of this process and what they say; taking one again is no conflict. */
const held = new Map<string, string>();

/**
 * Takes a directory for this process until it ends. Throws ConvkitError when another process that runs on this machine
 * has it. The lock of a dead process is taken over. It guards against mistakes, not against two starts in the same instant.
 */
export async function takeLock(file: string, directory: string): Promise<void> {
  if (held.has(file)) return;
  const mine = JSON.stringify({ pid: process.pid, started: await startTime(process.pid) });
  try {
    await writeFile(file, mine, { flag: 'wx' });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw fileError(error, 'write', file);
    const holder = await readHolder(file);
    if (holder && holder.pid !== process.pid && isRunning(holder.pid) && (await startTime(holder.pid)) === holder.started) {
      throw new ConvkitError(
        `Process ${holder.pid} is writing to ${directory}: wait until it ends, stop it, or choose another directory.`,
      );
    }
    await writeFileAtomic(file, mine);
  }
  if (held.size === 0) process.once('exit', releaseAll);
  held.set(file, mine);
}

function releaseAll(): void {
  for (const [file, mine] of held) {
    try {
      if (readFileSync(file, 'utf8') === mine) rmSync(file);
    } catch {
      // it is gone already, or will be taken over as a dead process's
    }
  }
}

async function readHolder(file: string): Promise<{ pid: number; started: string } | undefined> {
  try {
    const { pid, started } = JSON.parse(await readFile(file, 'utf8')) as { pid?: unknown; started?: unknown };
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined;
  } catch {
    return undefined; // cut short by a kill, or just removed: nobody's
  }
}

/** When a process started, so that a process id that was given out again is not taken for the old one. Linux only. */
async function startTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}
