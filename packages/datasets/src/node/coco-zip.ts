import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { ConvkitError, FormatError } from '@convkit/core';
import { commitDirectory } from '@convkit/core/node';
import { openPromise } from 'yauzl';
import type { Entry, ZipFile } from 'yauzl';

/** What an archive is expected to hold: files of one kind in one folder. */
export interface ZipFolder {
  /** Name of the folder in the archive */
  readonly folder: string;
  /** Of every file in it, as '.jpg' */
  readonly extension: string;
  /** Bytes that are unpacked so far, and that there are */
  readonly onProgress?: (progress: { received: number; total: number }) => void;
  readonly signal?: AbortSignal;
}

/** JSON shrinks to a quarter, photos hardly; an archive that claims more than this is no archive of a data set. */
const mostExpansion = 25;
const mostFiles = 1_000_000;
const [DIRECTORY, FILE] = [0x4000, 0x8000];

/**
 * Unpacks a zip archive with one folder of files into `target`, which appears only when it is whole. Nothing is written before
 * every name and size was checked, and each file is compared with its CRC-32.
 *
 * @throws FormatError naming the archive and the entry, for a file elsewhere or of another kind, a link, a second copy, encryption, more
 *   than 25 times the archive's size, and content that is cut off or damaged; nothing is left then.
 * @throws the signal's reason when it aborts.
 */
export async function extractZipFolder(archive: string, target: string, options: ZipFolder): Promise<void> {
  const zip = await naming(archive, () => openPromise(archive, { autoClose: false, strictFileNames: true }));
  try {
    const files = await naming(archive, () => checkedFiles(zip, archive, options));
    await commitDirectory(target, (directory) => naming(archive, () => unpack(zip, files, directory, archive, options)));
  } finally {
    zip.close();
  }
}

/** Runs `action`; what it finds wrong with the content of the archive (and not with the disk) becomes a FormatError. */
async function naming<T>(archive: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof ConvkitError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const ofContent = code === undefined || (typeof code === 'string' && code.startsWith('Z_'));
    if (!ofContent) throw error;
    throw new FormatError(`${archive}: not a whole zip archive (${message.split('\n')[0]}); delete it and download it again`, {
      cause: error,
    });
  }
}

async function checkedFiles(zip: ZipFile, archive: string, { folder, extension }: ZipFolder): Promise<readonly Entry[]> {
  const refuse = (reason: string): FormatError => new FormatError(`${archive}: refused, ${reason}; get the archive again`);
  const files: Entry[] = [];
  const seen = new Set<string>();
  const allowed = mostExpansion * (await stat(archive)).size + (1 << 20);
  let total = 0;
  for await (const entry of zip.eachEntry()) {
    const { fileName } = entry;
    const name = JSON.stringify(fileName.length > 100 ? `${fileName.slice(0, 100)}…` : fileName);
    // The upper half of the attributes is the file's mode where Unix made the archive, else it is 0.
    const kind = (entry.externalFileAttributes >>> 16) & 0xf000;
    if (seen.has(fileName)) throw refuse(`${name} is in it twice`);
    seen.add(fileName);
    if (fileName === `${folder}/` && (kind === 0 || kind === DIRECTORY)) continue;
    const [first, file, ...deeper] = fileName.split('/');
    if (first !== folder || deeper.length > 0 || !/^\w[\w.-]*$/.test(file) || !file.endsWith(extension))
      throw refuse(`${name} is not a file ${folder}/*${extension}`);
    if (kind !== 0 && kind !== FILE) throw refuse(`${name} is a link or a special file`);
    if (entry.isEncrypted()) throw refuse(`${name} is encrypted`);
    total += entry.uncompressedSize;
    if (total > allowed) throw refuse(`it unpacks to more than ${mostExpansion} times its size`);
    if (files.push(entry) > mostFiles) throw refuse(`it has more than ${mostFiles} files`);
  }
  if (files.length === 0) throw refuse(`no file ${folder}/*${extension} is in it`);
  return files;
}

async function unpack(
  zip: ZipFile,
  files: readonly Entry[],
  directory: string,
  archive: string,
  { folder, onProgress, signal }: ZipFolder,
): Promise<void> {
  const total = files.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0);
  let received = 0;
  for (const entry of files) {
    signal?.throwIfAborted();
    const file = await open(join(directory, entry.fileName.slice(folder.length + 1)), 'wx');
    let checksum = 0;
    try {
      const content = await zip.openReadStreamPromise(entry);
      for await (const chunk of content as AsyncIterable<Buffer>) {
        checksum = crc32(chunk, checksum);
        await file.writeFile(chunk);
        received += chunk.length;
        onProgress?.({ received, total });
      }
    } finally {
      await file.close();
    }
    if (checksum !== entry.crc32)
      throw new FormatError(`${archive}: ${entry.fileName} does not have its checksum (CRC-32); delete it and download it again`);
  }
}
