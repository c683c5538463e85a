import { readdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ConvkitError } from '@convkit/core';
import { download, isLeftover } from '@convkit/core/node';
import { cifarFolder, cifarRecordsPerFile, extractCifar10 } from './cifar-archive.js';
import { findRecordFolder, readRecordFolder } from './record-files.js';
import type { CifarRecords } from '../records.js';

const archiveName = 'cifar-10-binary.tar.gz';
const published = {
  url: `https://www.cs.toronto.edu/~kriz/${archiveName}`,
  md5: 'c32a1d4ab5d03f1284b67883e8d87530',
  recordsPerFile: cifarRecordsPerFile,
};

/** Where CIFAR-10 comes from. */
export interface Cifar10Options {
  split: 'train' | 'test';
  /** The folder with data_batch_1…5.bin and test_batch.bin, or the one around it. Default: $CONVKIT_DATA/cifar10, else ~/.cache/convkit/cifar10 */
  dir?: string;
  /** Fetch the archive (170 MB) when the files are not there. Default: true, unless `dir` is given */
  download?: boolean;
  onProgress?: (progress: { received: number; total: number | undefined }) => void;
  signal?: AbortSignal;
}

/**
 * CIFAR-10: 50,000 training and 10,000 test images of 32×32, ten classes, in memory (150 and 30 MB).
 *
 * Files that are there are used without a look at the network. Else the official archive is downloaded (the environment variable
 * CONVKIT_CIFAR10_URL names a mirror), checked by its MD5, and unpacked into a folder that appears only when it is whole.
 *
 * @throws ConvkitError when the files are not there and may not, or cannot, be downloaded.
 * @throws FormatError when a file has the wrong size or a label above 9; it names the file and the record.
 * @see Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009
 */
export function cifar10(options: Cifar10Options): Promise<CifarRecords> {
  return loadCifar10(options, { ...published, url: process.env['CONVKIT_CIFAR10_URL'] || published.url });
}

/** `cifar10` with another archive: for tests. */
export async function loadCifar10(options: Cifar10Options, source: typeof published): Promise<CifarRecords> {
  const { split, dir = defaultDirectory() } = options;
  let folder = await findRecordFolder(dir);
  if (folder === undefined) {
    if (!(options.download ?? options.dir === undefined)) {
      throw new ConvkitError(
        `cifar10: expected data_batch_1.bin … test_batch.bin in ${dir} or its folder ${cifarFolder}, found none; name another folder, or allow the download`,
      );
    }
    folder = await fetchCifar10(dir, options, source);
  }
  return readRecordFolder(folder, { split, name: 'cifar10', recordsPerFile: source.recordsPerFile });
}

async function fetchCifar10(dir: string, { onProgress, signal }: Cifar10Options, source: typeof published): Promise<string> {
  const archive = join(dir, archiveName);
  const folder = join(dir, cifarFolder);
  await download(source.url, archive, { md5: source.md5, onProgress, signal });
  for (const name of await readdir(dir)) {
    if (name.startsWith(`.${cifarFolder}.`) && isLeftover(dir, name)) await rm(join(dir, name), { recursive: true, force: true });
  }
  try {
    await extractCifar10(archive, folder, source.recordsPerFile);
  } catch (error) {
    // Another process may have unpacked it meanwhile.
    if ((await findRecordFolder(folder)) === undefined) throw error;
  }
  await rm(archive, { force: true });
  return folder;
}

function defaultDirectory(): string {
  const data = process.env['CONVKIT_DATA'];
  if (data) return join(data, 'cifar10');
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'convkit', 'cifar10');
}
