import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, FormatError } from '../errors.js';
import { type Module, isModule } from '../module.js';
import type { StateDict } from '../weights/host-tensor.js';
import { decodeSafetensors, encodeSafetensors, looksLikeSafetensors } from '../weights/safetensors.js';
import { stateDict } from '../weights/state-dict.js';
import { errorCode, fileError, readBytes, readJson, writeFileAtomic } from './files.js';
import { type StoredPreprocessing, parsePreprocessing } from './preprocessing-file.js';

/** What a weight file holds. */
export interface WeightsFile {
  readonly tensors: StateDict;
  readonly metadata: Record<string, string>;
  /** How the checkpoint wants its images; absent when neither the file nor a `.json` beside it says so. */
  readonly preprocessing: StoredPreprocessing | undefined;
}

/**
 * Reads a weight file (safetensors, told by its content), or the model of a checkpoint directory. The preprocessing comes
 * from the file's metadata (`preprocessing`, JSON) or from the `.json` of the same name beside it.
 * Throws ConvkitError when it cannot be read, FormatError when it is something else, cut off or damaged.
 */
export async function loadWeights(path: string): Promise<WeightsFile> {
  const file = await weightsIn(path);
  const bytes = await readBytes(file);
  if (!looksLikeSafetensors(bytes)) throw new FormatError(`${file} ${foreignFormat(bytes)}.`);
  let content;
  try {
    content = decodeSafetensors(bytes);
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${file}: ${error.message}`);
    throw error;
  }
  return { ...content, preprocessing: (await inMetadata(file, content.metadata)) ?? (await besides(file)) };
}

/** The file to read: the path itself, or model.safetensors in a checkpoint directory. */
async function weightsIn(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isDirectory()) return path;
  } catch (error) {
    throw fileError(error, 'read', path);
  }
  const model = join(path, 'model.safetensors');
  try {
    await stat(model);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw fileError(error, 'read', model);
    throw new FormatError(`${path} is a directory without model.safetensors: name a weight file or a checkpoint's directory.`);
  }
  return model;
}

/** What a file is that is not safetensors, as far as its first bytes tell. */
function foreignFormat(bytes: Uint8Array): string {
  const starts = (...prefix: number[]): boolean => prefix.every((byte, i) => bytes[i] === byte);
  const convert = 'convert it to .safetensors';
  if (bytes.length === 0) return 'is empty: download or save it again';
  if (starts(0x50, 0x4b)) return `is a zip archive, perhaps a PyTorch .pth: this version does not read it; ${convert}`;
  if (starts(0x80) && bytes[1] <= 5)
    return `is a Python pickle, perhaps an old PyTorch .pth: this version does not read it; ${convert}`;
  if (starts(0x89, 0x48, 0x44, 0x46)) return `is an HDF5 file, perhaps Keras weights: this version does not read it; ${convert}`;
  if (new TextDecoder().decode(bytes.subarray(0, 40)).startsWith('version https://git-lfs')) {
    return 'is a Git LFS pointer, not the file itself: fetch it with `git lfs pull`';
  }
  if (starts(0x3c)) return 'is HTML or XML, perhaps an error page in place of the download: download it again';
  return 'is not a safetensors file';
}

async function inMetadata(file: string, metadata: Record<string, string>): Promise<StoredPreprocessing | undefined> {
  const text = Object.hasOwn(metadata, 'preprocessing') ? metadata['preprocessing'] : undefined;
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FormatError(`${file}: the metadata "preprocessing" is not valid JSON.`);
  }
  return parsePreprocessing(value, `${file}, metadata "preprocessing"`);
}

async function besides(file: string): Promise<StoredPreprocessing | undefined> {
  const path = `${file.replace(/\.[^./\\]*$/, '')}.json`;
  try {
    await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read', path);
  }
  const value = await readJson(path);
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const found = fields['preprocessing'] ?? fields['normalisation'] ?? fields['normalization'];
  return found === undefined ? undefined : parsePreprocessing(found, path);
}

export interface SaveWeightsOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Goes into the metadata, where loadWeights finds it. */
  readonly preprocessing?: StoredPreprocessing;
  /** Stores every floating tensor in this dtype. Default: as it is. */
  readonly dtype?: 'F32' | 'F16' | 'BF16';
}

/**
 * Writes a model or state dict as safetensors, so that the path holds the old file or the new one whatever happens.
 * Throws ConvkitError when it cannot be written, such as on a full disk.
 */
export async function saveWeights(
  path: string,
  source: Module<unknown> | StateDict,
  options: SaveWeightsOptions = {},
): Promise<void> {
  const { dtype, preprocessing } = options;
  const tensors = isModule(source) ? await stateDict(source) : source;
  if (!(tensors instanceof Map)) throw new ArgumentError('saveWeights: give it a model or a state dict.');
  const metadata = { format: 'pt', ...options.metadata, ...(preprocessing && { preprocessing: JSON.stringify(preprocessing) }) };
  await writeFileAtomic(path, encodeSafetensors(tensors, { metadata, dtype }));
}
