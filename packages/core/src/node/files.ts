import { createHash, randomUUID } from 'node:crypto';
import * as promises from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConvkitError, FormatError } from '../errors.js';

/** The calls of the file system that a commit consists of: a seam through which tests inject failures. */
export interface FileSystem {
  open(path: string, flags: string): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  mkdir(path: string, options: { recursive: boolean }): Promise<unknown>;
  rm(path: string, options: { recursive: boolean; force: boolean }): Promise<void>;
  readdir(path: string): Promise<string[]>;
  readFile(path: string): Promise<Uint8Array>;
}

export interface FileHandle {
  writeFile(content: Uint8Array | string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileOptions {
  readonly fs?: FileSystem;
}

export const nodeFileSystem: FileSystem = promises;

/** Temporary names that this process is writing now. */
const active = new Set<string>();

/** A name beside `path` that nobody else uses; it says which process writes it, so that leftovers can be told. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomUUID().slice(0, 8)}.tmp`);
}

/** Is this the name of something that a process which no longer runs has left unfinished? */
export function isLeftover(directory: string, name: string): boolean {
  const pid = /^\..+\.(\d+)-[0-9a-f]{8}\.tmp$/.exec(name)?.[1];
  if (pid === undefined) return false;
  return Number(pid) === process.pid ? !active.has(join(directory, name)) : !isRunning(Number(pid));
}

/** Does a process with this id run on this machine? */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * Writes a file so that at every moment, a crash included, the path holds the whole old content or the whole new one:
 * a temporary file in the same directory, fsync, rename, fsync of the directory. Missing directories are made.
 * Throws ConvkitError with the reason in one line; the old file is then as it was and the temporary file is gone.
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string, options: FileOptions = {}): Promise<void> {
  const { fs = nodeFileSystem } = options;
  await commit(path, fs, async (temporary) => writeSynced(temporary, content, fs));
}

/**
 * Makes a directory so that it is there whole or not at all: `fill` writes into a temporary directory beside it, every
 * file and directory below is synced, and a rename commits it. `path` must not exist, or be an empty directory.
 * Throws what `fill` throws, and ConvkitError for the file system; nothing is left behind then.
 */
export async function commitDirectory(
  path: string,
  fill: (directory: string) => Promise<void>,
  options: FileOptions = {},
): Promise<void> {
  const { fs = nodeFileSystem } = options;
  await commit(path, fs, async (temporary) => {
    await fs.mkdir(temporary, { recursive: false });
    await fill(temporary);
    await syncTree(temporary, fs);
  });
}

async function commit(path: string, fs: FileSystem, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(path);
  active.add(temporary);
  try {
    await makeDirectory(dirname(path), fs);
    await write(temporary);
    await fs.rename(temporary, path);
    await syncDirectory(dirname(path), fs);
  } catch (error) {
    await fs.rm(temporary, { recursive: true, force: true }).catch(() => undefined); // the first failure is the one to tell
    throw fileError(error, 'write', path);
  } finally {
    active.delete(temporary);
  }
}

/** Makes a directory and those above it. */
export async function makeDirectory(path: string, fs: FileSystem = nodeFileSystem): Promise<void> {
  try {
    await fs.mkdir(path, { recursive: true });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw fileError(error, 'write', path);
    throw new ConvkitError(`Cannot make the directory ${path}: it, or a part of its path, is a file.`, { cause: error });
  }
}

/** Writes a new file and waits until the disk has it. */
export async function writeSynced(path: string, content: Uint8Array | string, fs: FileSystem = nodeFileSystem): Promise<void> {
  const handle = await fs.open(path, 'wx');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncTree(directory: string, fs: FileSystem): Promise<void> {
  for (const entry of await promises.readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await syncTree(path, fs);
    else if (entry.isFile()) await syncPath(path, fs);
  }
  await syncDirectory(directory, fs);
}

async function syncPath(path: string, fs: FileSystem): Promise<void> {
  const handle = await fs.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames in a directory durable. Windows has no such call, and needs none. */
export async function syncDirectory(directory: string, fs: FileSystem = nodeFileSystem): Promise<void> {
  if (process.platform !== 'win32') await syncPath(directory, fs);
}

/** The hash of a file's content in hexadecimal; the file is streamed. Throws ConvkitError when it cannot be read. */
export async function sha256File(path: string): Promise<string> {
  return hashFile(path, 'sha256');
}

/** As sha256File, with another of Node's hashes; `prefix` is hashed before the content. */
export async function hashFile(path: string, algorithm: string, prefix = ''): Promise<string> {
  try {
    const hash = createHash(algorithm).update(prefix);
    const handle = await promises.open(path, 'r');
    const buffer = new Uint8Array(1 << 20);
    try {
      for (let read = 1; read > 0;) {
        read = (await handle.read(buffer, 0, buffer.length)).bytesRead;
        hash.update(buffer.subarray(0, read));
      }
    } finally {
      await handle.close();
    }
    return hash.digest('hex');
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

/** Parses a JSON file. Throws ConvkitError when it cannot be read, FormatError when it is not JSON. */
export async function readJson(path: string, options: FileOptions = {}): Promise<unknown> {
  const bytes = await readBytes(path, options);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new FormatError(`${path} is not valid JSON: ${(error as Error).message.replaceAll('\n', ' ')}.`);
  }
}

/** The bytes of a file. Throws ConvkitError when it cannot be read. */
export async function readBytes(path: string, { fs = nodeFileSystem }: FileOptions = {}): Promise<Uint8Array> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied; check the rights of the file and its directory',
  EPERM: 'not permitted; check the rights of the file and its directory',
  EISDIR: 'it is a directory, not a file',
  ENOTDIR: 'a part of its path is not a directory',
  EEXIST: 'it exists already',
  ENOTEMPTY: 'it exists already',
  ENOSPC: 'no space left on the disk; free some and try again',
  EDQUOT: 'the disk quota is used up; free some space and try again',
  EFBIG: 'the file is larger than the file system or the limit of this process allows',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open in this process',
  ENFILE: 'too many files are open on this machine',
  EIO: 'the disk reports an input/output error',
  ENAMETOOLONG: 'the name is too long',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB, the most that is read at once',
};

/** An error of the file system as a ConvkitError of one line; other errors are given back as they are. */
export function fileError(error: unknown, action: 'read' | 'write', path: string): unknown {
  const code = errorCode(error);
  if (error instanceof ConvkitError || code === undefined) return error;
  const outcome = action === 'write' ? ' What was there before is unchanged.' : '';
  return new ConvkitError(`Cannot ${action} ${path}: ${reasons[code] ?? code}.${outcome}`, { cause: error });
}

/** The `code` of an error of Node, such as 'ENOENT'. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
