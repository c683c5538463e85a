import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { download, isLeftover } from '@convkit/core/node';
import { extractZipFolder } from './coco-zip.js';

/** An archive of COCO: where it is, what is in it. */
export interface CocoArchive {
  /** Below the server */
  readonly path: string;
  readonly sizeBytes: number;
  readonly md5: string;
  /** The folder in it, and that it is unpacked to */
  readonly folder: string;
  readonly extension: '.jpg' | '.json';
}

/** Where COCO publishes its archives. */
export const cocoServer = 'http://images.cocodataset.org';

/** COCO 2017: 118,287 training and 5,000 validation images, and their annotations. */
export const cocoArchives: Readonly<Record<'annotations' | 'train' | 'val', CocoArchive>> = {
  annotations: {
    path: 'annotations/annotations_trainval2017.zip',
    sizeBytes: 252_907_541,
    md5: 'f4bbac642086de4f52a3fdda2de5fa2c',
    folder: 'annotations',
    extension: '.json',
  },
  train: {
    path: 'zips/train2017.zip',
    sizeBytes: 19_336_861_798,
    md5: 'cced6f7f71b7629ddf16f17bbcfab6b2',
    folder: 'train2017',
    extension: '.jpg',
  },
  val: {
    path: 'zips/val2017.zip',
    sizeBytes: 815_585_330,
    md5: '442b8da7639aecaf257c1dceb8ba8c80',
    folder: 'val2017',
    extension: '.jpg',
  },
};

/** How far the download, or the unpacking, of an archive is; in bytes. */
export interface CocoProgress {
  readonly file: string;
  readonly stage: 'download' | 'unpack';
  readonly received: number;
  readonly total: number | undefined;
}

/**
 * Makes the folder of an archive in `dir`: downloads what is not there (resumed where an earlier try ended, checked by size and MD5),
 * unpacks it into a folder that appears only when it is whole, and deletes the archive.
 *
 * @throws ConvkitError and FormatError as `download` and `extractZipFolder` do.
 */
export async function fetchCocoArchive(
  dir: string,
  server: string,
  { path, sizeBytes, md5, folder, extension }: CocoArchive,
  { onProgress, signal }: { onProgress?: (progress: CocoProgress) => void; signal?: AbortSignal } = {},
): Promise<void> {
  const target = join(dir, folder);
  if (await isDirectory(target)) return;
  const file = basename(path);
  const archive = join(dir, file);
  const report =
    (stage: CocoProgress['stage']) =>
    (progress: { received: number; total: number | undefined }): void =>
      onProgress?.({ file, stage, ...progress });
  await download(`${server}/${path}`, archive, { size: sizeBytes, md5, signal, onProgress: report('download') });
  for (const name of await readdir(dir)) {
    if (name.startsWith(`.${folder}.`) && isLeftover(dir, name)) await rm(join(dir, name), { recursive: true, force: true });
  }
  try {
    await extractZipFolder(archive, target, { folder, extension, signal, onProgress: report('unpack') });
  } catch (error) {
    if (!(await isDirectory(target))) throw error; // else another process has unpacked it meanwhile
  }
  await rm(archive, { force: true });
}

/** Is there a folder with this path? */
export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
