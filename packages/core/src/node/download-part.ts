import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Expectation } from './download-transfer.js';
import { errorCode, isRunning, syncDirectory } from './files.js';

/** The part files that this process has open. */
const writing = new Set<string>();

/** Machines (and containers) that share a directory give out the same process ids. */
const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 6);

/** A part of another machine that has not grown for this long has no writer any more. */
const ABANDONED_MS = 10 * 60_000;

/**
 * The unfinished form of a download, `.<name>.<key>.<host>-<pid>-<id>.part`, where the key stands for the URL and the
 * expected content. Exactly one process writes it. A part whose process has ended is taken over by renaming it, which
 * only one of several can succeed in. The ETag of its bytes lies beside it in `.etag`.
 */
export class PartFile {
  readonly path: string;
  /** The strong ETag of the bytes so far. */
  etag: string | undefined;
  size = 0;
  readonly #destination: string;

  private constructor(path: string, destination: string) {
    this.path = path;
    this.#destination = destination;
    writing.add(path);
  }

  static async claim(destination: string, source: URL, expected: Expectation): Promise<PartFile> {
    const { sha256, md5, gitBlob, size } = expected;
    const identity = JSON.stringify([source.origin + source.pathname, sha256, md5, gitBlob, size]);
    const key = createHash('sha256').update(identity).digest('hex').slice(0, 12);
    const prefix = `.${basename(destination)}.${key}.`;
    const own = join(dirname(destination), `${prefix}${host}-${process.pid}-${randomUUID().slice(0, 8)}.part`);
    const part = new PartFile(own, destination);
    for (const name of await readdir(dirname(destination))) {
      if (!name.startsWith(prefix) || !name.endsWith('.part')) continue;
      const orphan = join(dirname(destination), name);
      if (await isWritten(orphan)) continue;
      if (part.size === 0 && (await part.#adopt(orphan, expected))) continue;
      await rm(orphan, { force: true });
      await rm(`${orphan}.etag`, { force: true });
    }
    return part;
  }

  /** Takes an orphan over, if it can be resumed: by its ETag, or because a hash will tell whether it fits. */
  async #adopt(orphan: string, expected: Expectation): Promise<boolean> {
    const hashed = expected.sha256 ?? expected.md5 ?? expected.gitBlob;
    try {
      const etag = await readFile(`${orphan}.etag`, 'utf8').catch(() => undefined);
      if (etag === undefined && hashed === undefined) return false;
      await rename(orphan, this.path);
      await rm(`${orphan}.etag`, { force: true });
      await this.setEtag(etag);
      this.size = (await stat(this.path)).size;
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false; // another process was quicker
      throw error;
    }
  }

  async setEtag(etag: string | undefined): Promise<void> {
    this.etag = etag;
    if (etag === undefined) await rm(`${this.path}.etag`, { force: true });
    else await writeFile(`${this.path}.etag`, etag);
  }

  /** Appends the pieces; the size counts only what was written. */
  async append(pieces: AsyncIterable<Uint8Array>, written: () => void): Promise<void> {
    const handle = await open(this.path, 'a');
    try {
      for await (const piece of pieces) {
        await handle.writeFile(piece);
        this.size += piece.length;
        written();
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Forgets what is there, to begin again. */
  async restart(): Promise<void> {
    await rm(this.path, { force: true });
    await this.setEtag(undefined);
    this.size = 0;
  }

  async commit(): Promise<void> {
    await rename(this.path, this.#destination);
    await syncDirectory(dirname(this.#destination));
    await this.setEtag(undefined);
    writing.delete(this.path);
  }

  /** Leaves the part for a later download to take over. */
  async release(): Promise<void> {
    if (this.size === 0) await this.restart();
    writing.delete(this.path);
  }

  async discard(): Promise<void> {
    await this.restart();
    writing.delete(this.path);
  }
}

async function isWritten(path: string): Promise<boolean> {
  const [, owner, pid] = /\.([0-9a-f]{6})-(\d+)-[0-9a-f]{8}\.part$/.exec(path) ?? [];
  if (owner === host) return Number(pid) === process.pid ? writing.has(path) : isRunning(Number(pid));
  const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
  return age < ABANDONED_MS;
}
