import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ArgumentError, FormatError } from '../errors.js';
import type { Checkpoint } from '../train/checkpoint.js';
import { decodeSafetensors, encodeSafetensors } from '../weights/safetensors.js';
import { type FileSystem, errorCode, fileError, readBytes, writeSynced } from './files.js';

export interface ManifestHead {
  readonly name: string;
  readonly sequence: number;
}

interface Manifest extends ManifestHead {
  readonly format: string;
  readonly files: Readonly<Record<string, { size: number; sha256: string }>>;
}

const FORMAT = 'convkit-checkpoint-1';
const FILES = ['model.safetensors', 'optimizer.safetensors', 'progress.json'] as const;
/** In checkpoints of runs that keep a moving average. */
const AVERAGE = 'average.safetensors';

const sha256 = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');

/** Writes the files of a checkpoint, the manifest last, each synced. */
export async function writeCheckpoint(
  directory: string,
  head: ManifestHead,
  checkpoint: Checkpoint,
  fs: FileSystem,
): Promise<void> {
  checkJson(checkpoint.progress, 'progress');
  const contents: [file: string, content: Uint8Array][] = [
    [FILES[0], encodeSafetensors(checkpoint.model)],
    [FILES[1], encodeSafetensors(checkpoint.optimizer)],
    [FILES[2], new TextEncoder().encode(JSON.stringify(checkpoint.progress))],
  ];
  if (checkpoint.average) contents.push([AVERAGE, encodeSafetensors(checkpoint.average)]);
  const files: Record<string, { size: number; sha256: string }> = {};
  for (const [file, content] of contents) {
    files[file] = { size: content.length, sha256: sha256(content) };
    await writeSynced(join(directory, file), content, fs);
  }
  await writeSynced(join(directory, 'manifest.json'), encodeManifest({ format: FORMAT, ...head, files }), fs);
}

/** The manifest and its own hash, as the last line: no bit of it can change unnoticed. */
function encodeManifest(manifest: Manifest): string {
  const json = JSON.stringify(manifest);
  return `{"manifest":${json},\n"sha256":"${sha256(json)}"}\n`;
}

/** The manifest of a checkpoint; undefined when the directory has none. Throws FormatError when it is damaged. */
export async function readManifest(directory: string, fs: FileSystem): Promise<Manifest | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await fs.readFile(join(directory, 'manifest.json'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined;
    throw fileError(error, 'read', join(directory, 'manifest.json'));
  }
  const text = Buffer.from(bytes).toString('latin1');
  const parts = /^\{"manifest":(.*),\n"sha256":"([0-9a-f]{64})"\}\n$/.exec(text);
  if (!parts || sha256(Buffer.from(parts[1], 'latin1')) !== parts[2]) {
    throw new FormatError(
      `The checkpoint ${directory} is damaged: its manifest.json does not match its own hash. It is passed over.`,
    );
  }
  const manifest = JSON.parse(Buffer.from(parts[1], 'latin1').toString('utf8')) as Manifest;
  if (manifest.format !== FORMAT) {
    throw new FormatError(
      `The checkpoint ${directory} has the format ${JSON.stringify(manifest.format)}, this version reads "${FORMAT}". It is passed over.`,
    );
  }
  return manifest;
}

/** Reads a checkpoint and verifies every byte of it. Throws FormatError when it is damaged. */
export async function readCheckpoint(directory: string, fs: FileSystem): Promise<Checkpoint> {
  const manifest = await readManifest(directory, fs);
  if (!manifest) throw new FormatError(`The checkpoint ${directory} has no manifest.json. It is passed over.`);
  const contents: Uint8Array[] = [];
  const averaged = AVERAGE in manifest.files;
  for (const file of averaged ? [...FILES, AVERAGE] : FILES) {
    const bytes = await readBytes(join(directory, file), { fs });
    const { size, sha256: expected } = manifest.files[file];
    if (bytes.length !== size || sha256(bytes) !== expected) {
      const what = bytes.length !== size ? `has ${bytes.length} bytes, not ${size}` : 'does not match its hash';
      throw new FormatError(`The checkpoint ${directory} is damaged: ${file} ${what}. It is passed over.`);
    }
    contents.push(bytes);
  }
  return {
    model: decodeSafetensors(contents[0]).tensors,
    optimizer: decodeSafetensors(contents[1]).tensors,
    ...(averaged ? { average: decodeSafetensors(contents[3]).tensors } : {}),
    progress: JSON.parse(new TextDecoder().decode(contents[2])) as Record<string, unknown>,
  };
}

/** What JSON would change silently (NaN, Infinity, undefined in a list …) is an error at the save, not a surprise at the resume. */
function checkJson(value: unknown, where: string): void {
  if (value === null || ['string', 'boolean', 'undefined'].includes(typeof value) || Number.isFinite(value)) return;
  const plain =
    typeof value === 'object' &&
    (Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null));
  if (!plain) throw new ArgumentError(`Checkpoint: ${where} is ${String(value)}, which JSON cannot hold.`);
  for (const [key, member] of Object.entries(value as object)) {
    if (member === undefined && Array.isArray(value))
      throw new ArgumentError(`Checkpoint: ${where}[${key}] is undefined, which JSON cannot hold.`);
    checkJson(member, `${where}.${key}`);
  }
}
