import { FormatError } from '../errors.js';
import type { StateDict } from './host-tensor.js';
import { decodePyTorchFile, looksLikePyTorch } from './pytorch.js';
import { decodeSafetensors, looksLikeSafetensors } from './safetensors.js';
import { type StoredPreprocessing, parsePreprocessing } from './stored-preprocessing.js';

/** What a weight file holds. */
export interface WeightsFile {
  readonly tensors: StateDict;
  /** Of safetensors; of a PyTorch file that holds a whole module, the names of its `classes` as JSON. */
  readonly metadata: Record<string, string>;
  /** How the checkpoint wants its images; absent when nothing says so. */
  readonly preprocessing: StoredPreprocessing | undefined;
}

/** Reads the bytes of a weight file; `name` is how errors call it. */
export type DecodeWeights = (bytes: Uint8Array, name: string) => WeightsFile;

/**
 * Reads a weight file of any known format, told by its content: safetensors, or what torch.save writes (`.pth`, `.pt`). The preprocessing
 * comes from the metadata (`preprocessing`, JSON). `name` is how errors call the file.
 * Throws FormatError when it is something else, cut off or damaged.
 */
export function decodeWeights(bytes: Uint8Array, name: string): WeightsFile {
  try {
    if (looksLikeSafetensors(bytes)) {
      const { tensors, metadata } = decodeSafetensors(bytes);
      return { tensors, metadata, preprocessing: inMetadata(metadata) };
    }
    if (looksLikePyTorch(bytes)) {
      const { tensors, classes } = decodePyTorchFile(bytes);
      return { tensors, metadata: classes ? { classes: JSON.stringify(classes) } : {}, preprocessing: undefined };
    }
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`${name}: ${error.message}`);
    throw error;
  }
  throw new FormatError(`${name} ${foreignFormat(bytes)}.`);
}

/** What a file is that holds no weights, as far as its first bytes tell. */
function foreignFormat(bytes: Uint8Array): string {
  const starts = (...prefix: number[]): boolean => prefix.every((byte, i) => bytes[i] === byte);
  if (bytes.length === 0) return 'is empty: download or save it again';
  if (starts(0x80) && bytes[1] <= 5) return 'is a Python pickle, but not of torch.save: convert it to .safetensors';
  if (starts(0x89, 0x48, 0x44, 0x46)) {
    return 'is an HDF5 file, perhaps Keras weights: this version does not read it; convert it to .safetensors';
  }
  if (new TextDecoder().decode(bytes.subarray(0, 40)).startsWith('version https://git-lfs')) {
    return 'is a Git LFS pointer, not the file itself: fetch it with `git lfs pull`';
  }
  if (starts(0x3c)) return 'is HTML or XML, perhaps an error page in place of the download: download it again';
  return 'is neither a safetensors file nor one of PyTorch';
}

function inMetadata(metadata: Record<string, string>): StoredPreprocessing | undefined {
  const text = Object.hasOwn(metadata, 'preprocessing') ? metadata['preprocessing'] : undefined;
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FormatError('the metadata "preprocessing" is not valid JSON.');
  }
  return parsePreprocessing(value, 'metadata "preprocessing"');
}
