import { ArgumentError, FormatError } from '../errors.js';
import { narrowBrain, narrowHalf } from './half.js';
import {
  type DType,
  type HostTensor,
  type StateDict,
  type TypedArray,
  dtypes,
  elementCount,
  isDType,
  quoted,
} from './host-tensor.js';
import { type HeaderEntry, parseHeader } from './safetensors-header.js';
import { storedValues } from './stored-values.js';

/** The content of a safetensors file. */
export interface SafetensorsFile {
  /** In the order of the header. */
  readonly tensors: StateDict;
  readonly metadata: Record<string, string>;
}

export interface EncodeOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Stores every floating tensor in this dtype, rounded to nearest even. Default: each in its own. */
  readonly dtype?: 'F32' | 'F16' | 'BF16';
}

/** The longest header that is read: 25 MB. */
export const MAX_HEADER_BYTES = 25_000_000;

/**
 * Reads a safetensors file. Values are views into `bytes` where their alignment allows it, so `bytes` must not change
 * afterwards; F16 and BF16 are widened to new Float32Arrays.
 *
 * Throws FormatError, naming the tensor, for anything but a whole and valid file: header over 25 MB, duplicate names,
 * unknown fields, a dtype that is not supported, holes or overlaps, bytes missing or left over.
 * Format: https://huggingface.co/docs/safetensors.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { text, dataStart } = headerText(bytes);
  const { entries, metadata } = parseHeader(text);
  checkOffsets(entries, bytes.byteLength - dataStart);
  const tensors: StateDict = new Map();
  for (const [name, entry] of entries) {
    const dtype = checkEntry(name, entry);
    const [begin, end] = entry.offsets;
    tensors.set(name, { dtype, shape: entry.shape, data: storedValues(bytes, dataStart + begin, end - begin, dtype) });
  }
  return { tensors, metadata };
}

/** Does this look like the start of a safetensors file? A header length that is possible, then `{`. */
export function looksLikeSafetensors(bytes: Uint8Array): boolean {
  if (bytes.byteLength < 9 || bytes[8] !== 0x7b) return false;
  return headerLength(bytes) <= MAX_HEADER_BYTES;
}

function headerLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
}

function headerText(bytes: Uint8Array): { text: string; dataStart: number } {
  if (bytes.byteLength < 8) {
    throw new FormatError(`safetensors: the file has ${bytes.byteLength} bytes, less than the 8 of its header length.`);
  }
  const length = headerLength(bytes);
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(
      `safetensors: the header claims ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed. Is it a safetensors file?`,
    );
  }
  if (length > bytes.byteLength - 8) {
    throw new FormatError(
      `safetensors: the header claims ${length} bytes, but only ${bytes.byteLength - 8} follow: the file is cut off.`,
    );
  }
  if (bytes[8] !== 0x7b || length === 0)
    throw new FormatError('safetensors: the header does not start with "{". Is it a safetensors file?');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length));
    return { text, dataStart: 8 + length };
  } catch (error) {
    if (error instanceof TypeError) throw new FormatError('safetensors: the header is not valid UTF-8.');
    throw error;
  }
}

/** The tensors must fill the data part exactly: no hole, no overlap, nothing after the last. */
function checkOffsets(entries: ReadonlyMap<string, HeaderEntry>, dataBytes: number): void {
  const sorted = [...entries].sort(([, a], [, b]) => a.offsets[0] - b.offsets[0] || a.offsets[1] - b.offsets[1]);
  let position = 0;
  for (const [name, { offsets }] of sorted) {
    const [begin, end] = offsets;
    if (end < begin) throw new FormatError(`safetensors: tensor ${quoted(name)} ends (${end}) before it begins (${begin}).`);
    if (begin !== position) {
      const what = begin > position ? 'leaves a hole before it' : 'overlaps the one before it';
      throw new FormatError(`safetensors: tensor ${quoted(name)} begins at byte ${begin}, not ${position}: it ${what}.`);
    }
    if (end > dataBytes) {
      throw new FormatError(
        `safetensors: tensor ${quoted(name)} ends at byte ${end}, but the file has ${dataBytes}: it is cut off.`,
      );
    }
    position = end;
  }
  if (position !== dataBytes) {
    throw new FormatError(`safetensors: ${dataBytes - position} bytes follow the last tensor; a whole file ends with it.`);
  }
}

function checkEntry(name: string, { dtype, shape, offsets }: HeaderEntry): DType {
  if (!isDType(dtype)) {
    const known = Object.keys(dtypes).join(', ');
    throw new FormatError(
      `safetensors: tensor ${quoted(name)} has dtype ${quoted(dtype)}, which is not supported; supported are ${known}.`,
    );
  }
  const expected = elementCount(shape) * dtypes[dtype].bytes;
  const found = offsets[1] - offsets[0];
  if (expected !== found) {
    throw new FormatError(`safetensors: tensor ${quoted(name)}, ${dtype} [${shape}], needs ${expected} bytes but has ${found}.`);
  }
  return dtype;
}

/**
 * Writes tensors as a safetensors file. The header keeps the order of the map; the data is ordered by the size of a value,
 * so that every tensor is aligned and a reader needs no copy. The same input gives the same bytes.
 * Throws ArgumentError for a tensor whose values do not fit its dtype and shape.
 */
export function encodeSafetensors(tensors: StateDict, options: EncodeOptions = {}): Uint8Array {
  const placed = new Map<string, { dtype: DType; begin: number; end: number }>();
  for (const [name, tensor] of tensors) {
    checkTensor(name, tensor);
    const dtype = options.dtype && dtypes[tensor.dtype].float ? options.dtype : tensor.dtype;
    placed.set(name, { dtype, begin: 0, end: 0 });
  }
  let position = 0;
  for (const bytes of [8, 4, 2, 1]) {
    for (const [name, place] of placed) {
      if (dtypes[place.dtype].bytes !== bytes) continue;
      place.begin = position;
      position += elementCount(tensors.get(name)?.shape ?? []) * bytes;
      place.end = position;
    }
  }
  const header = encodeHeader(tensors, placed, options.metadata);
  const result = new Uint8Array(8 + header.length + position);
  new DataView(result.buffer).setUint32(0, header.length, true);
  result.set(header, 8);
  for (const [name, { dtype, begin }] of placed) {
    const data = tensors.get(name)?.data;
    if (data) result.set(storedBytes(data, dtype), 8 + header.length + begin);
  }
  return result;
}

function checkTensor(name: string, { dtype, shape, data }: HostTensor): void {
  if (name === '__metadata__') throw new ArgumentError('safetensors: a tensor cannot be named "__metadata__".');
  if (!isDType(dtype) || !(data instanceof dtypes[dtype].array)) {
    throw new ArgumentError(`safetensors: tensor ${quoted(name)} of dtype ${dtype} cannot hold a ${data.constructor.name}.`);
  }
  if (data.length !== elementCount(shape) || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new ArgumentError(
      `safetensors: tensor ${quoted(name)} of shape [${shape}] has ${data.length} values, not ${elementCount(shape)}.`,
    );
  }
}

type Places = ReadonlyMap<string, { dtype: DType; begin: number; end: number }>;

function encodeHeader(tensors: StateDict, placed: Places, metadata: EncodeOptions['metadata']): Uint8Array {
  const members = [...placed].map(([name, { dtype, begin, end }]) => {
    const shape = tensors.get(name)?.shape ?? [];
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
  });
  if (metadata && Object.keys(metadata).length > 0) {
    for (const [key, value] of Object.entries(metadata)) {
      if (typeof value !== 'string') throw new ArgumentError(`safetensors: metadata ${quoted(key)} must be a string.`);
    }
    members.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const header = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  header.set(json);
  if (header.length > MAX_HEADER_BYTES) {
    throw new ArgumentError(
      `safetensors: the header would have ${header.length} bytes, more than the ${MAX_HEADER_BYTES} that readers allow.`,
    );
  }
  return header;
}

function storedBytes(data: TypedArray, dtype: DType): Uint8Array {
  let stored: TypedArray | Uint16Array = data;
  if (data instanceof Float32Array || data instanceof Float64Array) {
    if (dtype === 'F16') stored = narrowHalf(data);
    else if (dtype === 'BF16') stored = narrowBrain(data);
    else if (dtype === 'F32' && data instanceof Float64Array) stored = new Float32Array(data);
  }
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}
