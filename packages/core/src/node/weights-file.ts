import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, FormatError } from '../errors.js';
import { type Module, isModule } from '../module.js';
import type { StateDict } from '../weights/host-tensor.js';
import { modelMetadata } from '../weights/model-metadata.js';
import { encodeSafetensors } from '../weights/safetensors.js';
import { stateDict } from '../weights/state-dict.js';
import { errorCode, fileError, readBytes, readJson, writeFileAtomic } from './files.js';
import { type StoredPreprocessing, parsePreprocessing } from '../weights/stored-preprocessing.js';
import { type DecodeWeights, type WeightsFile, decodeWeights } from '../weights/weights-file.js';

/**
 * Reads a weight file (safetensors, or PyTorch's `.pth` and `.pt`; told by its content), or the model of a checkpoint directory. The
 * preprocessing comes from the file's metadata (`preprocessing`, JSON) or from the `.json` of the same name beside it, which may also say
 * the `padding`. `decode` reads the files of a family of nets that has a format of its own.
 * Throws ConvkitError when it cannot be read, FormatError when it is something else, cut off or damaged.
 */
export async function loadWeights(path: string, decode: DecodeWeights = decodeWeights): Promise<WeightsFile> {
  const file = await weightsIn(path);
  const content = decode(await readBytes(file), file);
  if (content.preprocessing) return content;
  const { padding, preprocessing } = await besides(file);
  return { ...content, metadata: { ...(padding && { padding }), ...content.metadata }, preprocessing };
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

async function besides(file: string): Promise<{ padding?: string; preprocessing: StoredPreprocessing | undefined }> {
  const path = `${file.replace(/\.[^./\\]*$/, '')}.json`;
  try {
    await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { preprocessing: undefined };
    throw fileError(error, 'read', path);
  }
  const value = await readJson(path);
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const found = fields['preprocessing'] ?? fields['normalisation'] ?? fields['normalization'];
  const padding = fields['padding'];
  return {
    preprocessing: found === undefined ? undefined : parsePreprocessing(found, path),
    ...(padding !== undefined && { padding: String(padding) }),
  };
}

export interface SaveWeightsOptions {
  /** Of a model of a factory more is written: its variant, options, classes and preprocessing (`modelMetadata`). */
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
  const about = isModule(source) ? modelMetadata(source) : {};
  const metadata = {
    format: 'pt',
    ...about,
    ...options.metadata,
    ...(preprocessing && { preprocessing: JSON.stringify(preprocessing) }),
  };
  await writeFileAtomic(path, encodeSafetensors(tensors, { metadata, dtype }));
}
