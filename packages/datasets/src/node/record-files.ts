import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConvkitError, FormatError, cifar10Classes } from '@convkit/core';
import { cifarRecordBytes, CifarRecords, checkRecords } from '../records.js';
import { cifarFolder, cifarMetaFile, cifarTestFile, cifarTrainFiles } from './cifar-archive.js';

/** Which records to read, and how strictly. */
export interface RecordFilesOptions {
  split: 'train' | 'test';
  name: string;
  /** Records that each file must have; absent: any number. */
  recordsPerFile?: number;
}

/** The folder that holds record files: `dir` itself, or cifar-10-batches-bin in it. */
export async function findRecordFolder(dir: string): Promise<string | undefined> {
  for (const folder of [dir, join(dir, cifarFolder)]) {
    for (const file of [...cifarTrainFiles, cifarTestFile]) {
      if ((await sizeOf(join(folder, file))) !== undefined) return folder;
    }
  }
  return undefined;
}

/**
 * The records of a folder with files named as CIFAR-10's; some of the training files suffice, which the result's `notice` says.
 *
 * Class names are those of batches.meta.txt.
 *
 * @throws ConvkitError when the files of the split are not there, FormatError when one of them is broken.
 */
export async function readRecordFolder(
  folder: string,
  { split, name, recordsPerFile }: RecordFilesOptions,
): Promise<CifarRecords> {
  const wanted = split === 'train' ? cifarTrainFiles : [cifarTestFile];
  const sizes = await Promise.all(wanted.map((file) => sizeOf(join(folder, file))));
  const present = wanted.filter((_, i) => sizes[i] !== undefined);
  const missing = wanted.filter((_, i) => sizes[i] === undefined);
  if (present.length === 0) {
    throw new ConvkitError(
      `${name}: ${wanted.length > 1 ? 'none of data_batch_1…5.bin' : cifarTestFile} is in ${folder}; the ${split} split needs it`,
    );
  }
  const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const file of present) {
    const part = bytes.subarray(at, at + (sizes[wanted.indexOf(file)] ?? 0));
    checkSize(join(folder, file), part.length, recordsPerFile);
    await readInto(join(folder, file), part);
    checkRecords(part, join(folder, file));
    at += part.length;
  }
  const classes = await readClasses(join(folder, cifarMetaFile));
  const notice = missing.length > 0 ? missingNotice(total / cifarRecordBytes, recordsPerFile, missing) : undefined;
  return new CifarRecords(bytes, { name: `${name} ${split}`, classes, notice });
}

function checkSize(path: string, found: number, records: number | undefined): void {
  if (records !== undefined && found !== records * cifarRecordBytes) {
    const hint = `record ${Math.floor(found / cifarRecordBytes)} is ${found > records * cifarRecordBytes ? 'one too many' : 'not whole'}`;
    throw new FormatError(
      `${path}: expected ${records} records of ${cifarRecordBytes} bytes (${records * cifarRecordBytes}), found ${found} bytes: ${hint}; get the file again`,
    );
  }
  if (found === 0)
    throw new FormatError(`${path}: expected records of ${cifarRecordBytes} bytes, found an empty file; get the file again`);
}

async function readInto(path: string, target: Uint8Array): Promise<void> {
  const file = await open(path);
  try {
    for (let at = 0; at < target.length;) {
      const { bytesRead } = await file.read(target, at, target.length - at, at);
      if (bytesRead === 0) throw new FormatError(`${path}: it became shorter while it was read; get the file again`);
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** Ten names, one a line; CIFAR-10's where there is no such file. */
async function readClasses(path: string): Promise<readonly string[]> {
  if ((await sizeOf(path)) === undefined) return cifar10Classes;
  const names = (await readFile(path, 'utf8'))
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  if (names.length !== 10)
    throw new FormatError(`${path}: expected the names of 10 classes, one a line, found ${names.length}; get the file again`);
  return names;
}

function missingNotice(found: number, recordsPerFile: number | undefined, missing: readonly string[]): string {
  const count = (n: number): string => n.toLocaleString('en-US');
  const of = recordsPerFile === undefined ? '' : ` of ${count(recordsPerFile * cifarTrainFiles.length)}`;
  const last =
    missing.length > 1 && isRun(missing) ? `${missing[0].replace('.bin', '')}…${batchNumber(missing.at(-1) ?? '')}` : undefined;
  const names = last ?? missing.map((file) => file.replace('.bin', '')).join(', ');
  return `${count(found)}${of} training records: ${names} ${missing.length > 1 ? 'are' : 'is'} not there`;
}

function isRun(files: readonly string[]): boolean {
  return files.every((file, i) => i === 0 || batchNumber(file) === batchNumber(files[i - 1]) + 1);
}

function batchNumber(file: string): number {
  return Number(/\d/.exec(file)?.[0]);
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}
