import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { FormatError } from '@convkit/core';
import { commitDirectory } from '@convkit/core/node';
import { extract } from 'tar-stream';
import type { Header } from 'tar-stream';
import { cifarRecordBytes } from '../records.js';

/** The folder inside of CIFAR-10's binary archive. */
export const cifarFolder = 'cifar-10-batches-bin';
export const cifarTrainFiles = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`);
export const cifarTestFile = 'test_batch.bin';
export const cifarMetaFile = 'batches.meta.txt';
/** Records in each file of CIFAR-10. */
export const cifarRecordsPerFile = 10_000;

/** Headers, padding and what the streams hold in advance; more than that beside the files themselves is refused. */
const overheadBytes = 1 << 20;
const largestTextBytes = 1 << 16;

/**
 * Unpacks CIFAR-10's binary archive into `target`, which appears only when it is whole.
 *
 * Taken are the eight known files at their known sizes; anything else (another path, a link, a device, a second copy, a wrong size)
 * refuses the whole archive.
 *
 * @throws FormatError naming the archive and the entry; nothing is left then.
 */
export async function extractCifar10(archive: string, target: string, recordsPerFile = cifarRecordsPerFile): Promise<void> {
  await commitDirectory(target, async (directory) => {
    try {
      await unpack(archive, directory, recordsPerFile * cifarRecordBytes);
    } catch (error) {
      if (error instanceof FormatError || !isContentError(error)) throw error;
      throw new FormatError(
        `${archive}: not a whole tar.gz archive (${(error as Error).message.split('\n')[0]}); delete it and download it again`,
        { cause: error },
      );
    }
  });
}

async function unpack(archive: string, directory: string, fileBytes: number): Promise<void> {
  const refuse = (reason: string): FormatError =>
    new FormatError(`${archive}: refused, ${reason}; get the archive of CIFAR-10 again`);
  const seen = new Set<string>();
  const entries = extract();
  let allowed = overheadBytes;
  let passed = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _, done) {
      passed += chunk.length;
      if (passed > allowed) done(refuse(`it unpacks to more than the ${allowed} bytes that its entries account for`));
      else done(null, chunk);
    },
  });
  const feeding = pipeline(createReadStream(archive), createGunzip(), limit, entries);
  feeding.catch(() => {}); // awaited below, or a consequence of what is thrown there
  try {
    for await (const entry of entries) {
      const { header } = entry;
      const reason = refusal(header, fileBytes, seen);
      if (reason !== undefined) throw refuse(reason);
      seen.add(header.name);
      allowed += header.size ?? 0;
      // The folder of the archive becomes `directory` itself; the name was compared with the known ones.
      const path = header.type === 'file' ? join(directory, header.name.slice(cifarFolder.length + 1)) : undefined;
      await store(entry, path);
    }
  } finally {
    entries.destroy();
  }
  await feeding;
  for (const name of [...cifarTrainFiles, cifarTestFile, cifarMetaFile]) {
    if (!seen.has(`${cifarFolder}/${name}`)) throw refuse(`${name} is not in it`);
  }
}

/** Why this entry cannot belong to CIFAR-10's archive. */
function refusal({ name, type, size = 0 }: Header, fileBytes: number, seen: ReadonlySet<string>): string | undefined {
  const quoted = JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
  if (seen.has(name)) return `${quoted} is in it twice`;
  if (type === 'directory')
    return name === `${cifarFolder}/` || name === cifarFolder ? sizeRefusal(quoted, size, 0, 0) : `${quoted} is unexpected`;
  if (type !== 'file') return `${quoted} is a ${type ?? 'special entry'}, not a file`;
  const [folder, file, ...deeper] = name.split('/');
  if (folder !== cifarFolder || file === undefined || deeper.length > 0) return `${quoted} is unexpected`;
  if (cifarTrainFiles.includes(file) || file === cifarTestFile) return sizeRefusal(quoted, size, fileBytes, fileBytes);
  if (file === cifarMetaFile || file === 'readme.html') return sizeRefusal(quoted, size, 1, largestTextBytes);
  return `${quoted} is unexpected`;
}

function sizeRefusal(name: string, size: number, least: number, most: number): string | undefined {
  return size >= least && size <= most
    ? undefined
    : `${name} has ${size} bytes rather than ${least === most ? most : `${least} to ${most}`}`;
}

async function store(content: AsyncIterable<unknown>, path: string | undefined): Promise<void> {
  const file = path === undefined ? undefined : await open(path, 'wx');
  try {
    for await (const chunk of content) await file?.writeFile(chunk as Uint8Array);
  } finally {
    await file?.close();
  }
}

/** Is it what the archive holds that failed (and not the disk)? */
function isContentError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || code === 'STREAM_DESTROYED' || code.startsWith('Z_') || code.startsWith('ERR_');
}
