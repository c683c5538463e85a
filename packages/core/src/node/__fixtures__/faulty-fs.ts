import { truncate } from 'node:fs/promises';
import { type FileHandle, type FileSystem, nodeFileSystem } from '../files.js';

export interface Fault {
  /** The call that fails, counted from 1. */
  readonly at: number;
  readonly code: 'EIO' | 'ENOSPC';
  /** True: every later call fails too, as if the process had died there. */
  readonly dead?: boolean;
}

/**
 * The real file system, in which one call fails (a failing write leaves half of its bytes), and which knows what
 * a power cut would lose: `losePower` empties every file that was written but never synced, wherever it was renamed to.
 */
export function faultyFileSystem(fault?: Fault): FileSystem & { calls: string[]; losePower(): Promise<void> } {
  const calls: string[] = [];
  const unsynced = new Set<string>();
  const step = async <T>(name: string, run: () => Promise<T>, partly?: () => Promise<unknown>): Promise<T> => {
    calls.push(name);
    if (fault && (calls.length === fault.at || (fault.dead && calls.length > fault.at))) {
      if (calls.length === fault.at || name.startsWith('close')) await partly?.();
      throw Object.assign(new Error(`${fault.code}: injected at call ${calls.length}, ${name}`), { code: fault.code });
    }
    return run();
  };
  return {
    calls,
    open: async (path, flags) => {
      const handle = await step(`open ${flags} ${path}`, () => nodeFileSystem.open(path, flags));
      const wrapped: FileHandle = {
        writeFile: (content) => {
          unsynced.add(path);
          return step(
            `write ${path}`,
            () => handle.writeFile(content),
            () => handle.writeFile(content.slice(0, content.length >> 1)),
          );
        },
        sync: async () => {
          await step(`sync ${path}`, () => handle.sync());
          unsynced.delete(path);
        },
        close: () =>
          step(
            `close ${path}`,
            () => handle.close(),
            () => handle.close(),
          ),
      };
      return wrapped;
    },
    rename: async (from, to) => {
      await step(`rename ${from} ${to}`, () => nodeFileSystem.rename(from, to));
      for (const path of [...unsynced]) {
        if (path !== from && !path.startsWith(`${from}/`)) continue;
        unsynced.delete(path);
        unsynced.add(to + path.slice(from.length));
      }
    },
    mkdir: (path, options) => step(`mkdir ${path}`, () => nodeFileSystem.mkdir(path, options)),
    rm: (path, options) => step(`rm ${path}`, () => nodeFileSystem.rm(path, options)),
    readdir: (path) => step(`readdir ${path}`, () => nodeFileSystem.readdir(path)),
    readFile: (path) => step(`read ${path}`, () => nodeFileSystem.readFile(path)),
    losePower: async () => {
      for (const path of unsynced) await truncate(path, 0).catch(() => undefined);
    },
  };
}
