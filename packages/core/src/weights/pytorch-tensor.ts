import { FormatError } from '../errors.js';
import { type DType, type HostTensor, dtypes, elementCount, quoted } from './host-tensor.js';
import { storedValues } from './stored-values.js';

/** The storage classes of PyTorch by the dtype of their values. */
export const storageTypes: Readonly<Record<string, DType>> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
};

/** One-dimensional memory, which several tensors may look into. */
export interface Storage {
  readonly key: string;
  readonly dtype: DType;
  /** Number of values. */
  readonly size: number;
  /** Where a view of another storage begins in it; of old files only. */
  readonly offset: number;
}

/** A tensor as a pickle describes it: a look into a storage. */
export class StoredTensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {}
}

/**
 * Gives tensors their values. A contiguous tensor is a view into the file; what must be copied (other strides, 16-bit floats)
 * is limited in all to four times the file and 16 MB, since strides of 0 could make terabytes of one value.
 */
export class TensorReader {
  readonly #content: (storage: Storage) => Uint8Array;
  #copyBytesLeft: number;

  constructor(content: (storage: Storage) => Uint8Array, fileBytes: number) {
    this.#content = content;
    this.#copyBytesLeft = 4 * fileBytes + 16e6;
  }

  /** Throws FormatError when the tensor reaches beyond its storage. */
  read(name: string, { storage, offset, shape, stride }: StoredTensor): HostTensor {
    const { dtype } = storage;
    const count = elementCount(shape);
    const last = count === 0 ? -1 : shape.reduce((sum, n, i) => sum + (n - 1) * stride[i], offset);
    if (!Number.isSafeInteger(count) || last >= storage.size) {
      throw new FormatError(`PyTorch: tensor ${quoted(name)}, [${shape}] with strides [${stride}], reaches beyond its storage.`);
    }
    const bytes = this.#content(storage);
    const size = dtypes[dtype].bytes;
    const begin = (storage.offset + offset) * size;
    if (count === 0) return { dtype, shape, data: storedValues(bytes, 0, 0, dtype) };
    if (isContiguous(shape, stride)) {
      if (dtype === 'F16' || dtype === 'BF16') this.#spend(name, 4 * count);
      return { dtype, shape, data: storedValues(bytes, begin, count * size, dtype) };
    }
    this.#spend(name, 8 * count);
    const span = bytes.subarray(begin, begin + (last - offset + 1) * size);
    return { dtype, shape, data: storedValues(gather(span, size, shape, stride), 0, count * size, dtype) };
  }

  #spend(name: string, copied: number): void {
    this.#copyBytesLeft -= copied;
    if (this.#copyBytesLeft < 0) {
      throw new FormatError(`PyTorch: tensor ${quoted(name)} and those before it unfold to many times the file: refused.`);
    }
  }
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && stride[i] !== expected) return false;
    expected *= shape[i];
  }
  return true;
}

/** Copies values of `size` bytes into row-major order. */
function gather(span: Uint8Array, size: number, shape: readonly number[], stride: readonly number[]): Uint8Array {
  const result = new Uint8Array(elementCount(shape) * size);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to += size) {
    for (let byte = 0; byte < size; byte++) result[to + byte] = span[from * size + byte];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * stride[axis];
      index[axis] = 0;
    }
  }
  return result;
}
