import { join } from 'node:path';
import { ArgumentError, ConvkitError } from '../errors.js';
import type { Checkpoint, CheckpointStore } from '../train/checkpoint.js';
import { readCheckpoint, readManifest, writeCheckpoint } from './checkpoint-files.js';
import {
  type FileSystem,
  commitDirectory,
  errorCode,
  fileError,
  isLeftover,
  makeDirectory,
  nodeFileSystem,
  temporaryName,
} from './files.js';
import { takeLock } from './lock.js';

export interface CheckpointDirectoryOptions {
  /** How many checkpoints to keep, without the best. Default 2. */
  readonly keep?: number;
  /** Hears of damaged checkpoints and of old ones that cannot be deleted, in one line each. Default: console.warn. */
  readonly onDamaged?: (message: string) => void;
  readonly fs?: FileSystem;
}

/** A CheckpointStore in a directory. */
export interface CheckpointDirectory extends CheckpointStore {
  readonly path: string;
  saveBest(name: string, checkpoint: Checkpoint): Promise<void>;
  /** The best checkpoint, if one was saved and is whole. */
  best(): Promise<{ name: string; checkpoint: Checkpoint } | undefined>;
}

const BEST = 'best-';

interface Entry {
  readonly directory: string;
  readonly name: string;
  /** Counts the saves of a directory: the order of checkpoints, whatever their names. */
  readonly sequence: number;
}

/**
 * Keeps checkpoints in a directory, each a directory `<name>/` of model.safetensors, optimizer.safetensors, progress.json
 * and manifest.json (size and sha256 of each), committed by rename: a run killed at any moment leaves every checkpoint
 * whole or absent. The best one is `best-<name>/`. A save deletes checkpoints beyond `keep` only after it has read back
 * and verified a newer one.
 *
 * Methods throw ConvkitError for the file system (a full disk leaves what was there) and for a directory that another
 * process on this machine is saving to; a checkpoint that is damaged is passed over, never thrown.
 */
export function checkpointDirectory(path: string, options: CheckpointDirectoryOptions = {}): CheckpointDirectory {
  const { keep = 2, onDamaged = (message: string) => console.warn(message), fs = nodeFileSystem } = options;
  if (!Number.isInteger(keep) || keep < 1) throw new ArgumentError(`checkpointDirectory: keep (= ${keep}) must be 1 or more.`);
  const verified = new Set<string>();
  let owned = false;
  let queue: Promise<unknown> = Promise.resolve();

  const report = (error: unknown): void => {
    if (!(error instanceof ConvkitError)) throw error;
    onDamaged(error.message);
  };

  /** The names in the directory; none while it does not exist. */
  async function list(): Promise<string[]> {
    try {
      return await fs.readdir(path);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw fileError(error, 'read', path);
    }
  }

  /** The checkpoints whose manifest is whole, newest first. A directory without a manifest is not a checkpoint. */
  async function entries(best: boolean): Promise<Entry[]> {
    const found: Entry[] = [];
    for (const directory of await list()) {
      if (directory.startsWith('.') || directory.startsWith(BEST) !== best) continue;
      try {
        const manifest = await readManifest(join(path, directory), fs);
        if (manifest) found.push({ directory, name: manifest.name, sequence: manifest.sequence });
      } catch (error) {
        report(error);
      }
    }
    return found.sort((a, b) => b.sequence - a.sequence);
  }

  async function newest(best: boolean): Promise<{ name: string; checkpoint: Checkpoint } | undefined> {
    for (const { directory, name } of await entries(best)) {
      try {
        return { name, checkpoint: await readCheckpoint(join(path, directory), fs) };
      } catch (error) {
        report(error);
      }
    }
    return undefined;
  }

  /** Makes the directory this process's own, and removes what killed runs left unfinished. */
  async function open(): Promise<void> {
    if (owned) return;
    await makeDirectory(path, fs);
    await takeLock(join(path, '.lock'), path);
    for (const name of await list()) if (isLeftover(path, name)) await discard(name);
    owned = true;
  }

  async function discard(name: string): Promise<void> {
    try {
      await fs.rm(join(path, name), { recursive: true, force: true });
    } catch (error) {
      report(fileError(error, 'write', join(path, name)));
    }
  }

  /** Deletes what is beyond `count`, once a newer one has been verified. A rename first: nothing half deleted keeps the name. */
  async function prune(best: boolean, count: number): Promise<void> {
    const whole: Entry[] = [];
    for (const entry of await entries(best)) {
      if (whole.length >= count) {
        const doomed = temporaryName(join(path, entry.directory));
        await fs.rename(join(path, entry.directory), doomed);
        await fs.rm(doomed, { recursive: true, force: true });
        continue;
      }
      const key = `${entry.directory} ${entry.sequence}`;
      try {
        if (!verified.has(key)) await readCheckpoint(join(path, entry.directory), fs);
        verified.add(key);
        whole.push(entry);
      } catch (error) {
        report(error);
      }
    }
  }

  async function commit(name: string, checkpoint: Checkpoint, best: boolean): Promise<void> {
    if (!/^[A-Za-z0-9][\w.-]{0,100}$/.test(name) || name.startsWith(BEST)) {
      throw new ArgumentError(
        `checkpointDirectory: ${JSON.stringify(name)} cannot name a checkpoint; take letters, digits, '-', '_' and '.'.`,
      );
    }
    await open();
    const taken = new Set(await list());
    // The clock also puts it after a checkpoint whose manifest cannot be read just now.
    const known = [...(await entries(true)), ...(await entries(false))].map((entry) => entry.sequence);
    const sequence = Math.max(Date.now(), ...known.map((number) => number + 1));
    let directory = best ? BEST + name : name;
    for (let n = 1; taken.has(directory); n++) directory = `${best ? BEST : ''}${name}.${n}`;
    await commitDirectory(join(path, directory), (made) => writeCheckpoint(made, { name, sequence }, checkpoint, fs), { fs });
    try {
      await prune(best, best ? 1 : keep);
    } catch (error) {
      report(fileError(error, 'write', path)); // the checkpoint is saved; an old one that stays is no reason to stop a run
    }
  }

  /** Saves run one after the other, also when a caller does not wait. */
  function enqueue(run: () => Promise<void>): Promise<void> {
    const result = queue.then(run);
    queue = result.catch(() => undefined);
    return result;
  }

  return {
    path,
    save: (name, checkpoint) => enqueue(() => commit(name, checkpoint, false)),
    saveBest: (name, checkpoint) => enqueue(() => commit(name, checkpoint, true)),
    latest: () => newest(false),
    best: () => newest(true),
  };
}
