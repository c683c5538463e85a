import { join } from 'node:path';
import { writeFileAtomic } from '@convkit/core/node';
import { syntheticShapes } from '../synthetic.js';
import { shapeClasses } from '../shapes.js';
import type { CifarRecords } from '../records.js';
import { cifarMetaFile, cifarTestFile } from './cifar-archive.js';
import { findRecordFolder, readRecordFolder } from './record-files.js';
import { ConvkitError } from '@convkit/core';

/** Writes the synthetic set as data_batch_1.bin, test_batch.bin and batches.meta.txt into `dir`, in CIFAR-10's format. */
export async function writeSyntheticRecords(dir: string, { train = 2000, test = 500, seed = 0 } = {}): Promise<void> {
  await writeFileAtomic(join(dir, 'data_batch_1.bin'), syntheticShapes({ size: train, seed, split: 'train' }).bytes);
  await writeFileAtomic(join(dir, cifarTestFile), syntheticShapes({ size: test, seed, split: 'test' }).bytes);
  await writeFileAtomic(join(dir, cifarMetaFile), `${shapeClasses.join('\n')}\n`);
}

/**
 * Records in CIFAR-10's format of any number, such as `writeSyntheticRecords` writes; class names come from batches.meta.txt.
 *
 * @throws ConvkitError when the files of the split are not there, FormatError when one of them is broken.
 */
export async function recordFolder(
  dir: string,
  { split, name = 'records' }: { split: 'train' | 'test'; name?: string },
): Promise<CifarRecords> {
  const folder = await findRecordFolder(dir);
  if (folder === undefined)
    throw new ConvkitError(`${name}: expected data_batch_1.bin or test_batch.bin in ${dir}, found neither`);
  return readRecordFolder(folder, { split, name });
}
