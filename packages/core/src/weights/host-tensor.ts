import { ArgumentError } from '../errors.js';

/** A safetensors dtype that convkit reads and writes. */
export type DType = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL';

export type TypedArray = Float64Array | Float32Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** A tensor in host memory, in PyTorch's layout (row-major). */
export interface HostTensor {
  /** How the values are stored in the file. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The values: F16 and BF16 widened to a Float32Array, I64 a BigInt64Array, the others their natural typed array. */
  readonly data: TypedArray;
}

/** Tensors by name, in order. */
export type StateDict = Map<string, HostTensor>;

interface DTypeRule {
  /** Bytes of one value in a file. */
  readonly bytes: number;
  readonly float: boolean;
  /** The class of `HostTensor.data`. */
  readonly array: {
    new (length: number): TypedArray;
    new (buffer: ArrayBufferLike, offset: number, length: number): TypedArray;
  };
}

export const dtypes: Readonly<Record<DType, DTypeRule>> = {
  F64: { bytes: 8, float: true, array: Float64Array },
  F32: { bytes: 4, float: true, array: Float32Array },
  F16: { bytes: 2, float: true, array: Float32Array },
  BF16: { bytes: 2, float: true, array: Float32Array },
  I64: { bytes: 8, float: false, array: BigInt64Array },
  I32: { bytes: 4, float: false, array: Int32Array },
  I16: { bytes: 2, float: false, array: Int16Array },
  I8: { bytes: 1, float: false, array: Int8Array },
  U8: { bytes: 1, float: false, array: Uint8Array },
  BOOL: { bytes: 1, float: false, array: Uint8Array },
};

/** Is this the name of a dtype that convkit reads? */
export function isDType(name: string): name is DType {
  return Object.hasOwn(dtypes, name);
}

/** The number of values of a shape; 1 for the scalar shape []. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** A float32 tensor of these values; `shape` defaults to one dimension. Throws ArgumentError when the count does not fit. */
export function floatTensor(data: Float32Array, shape: readonly number[] = [data.length]): HostTensor {
  if (elementCount(shape) !== data.length) {
    throw new ArgumentError(`A tensor of shape [${shape}] holds ${elementCount(shape)} values, not ${data.length}.`);
  }
  return { dtype: 'F32', shape, data };
}

/** A whole number as a 0-dimensional int64, as PyTorch stores counters. */
export function intScalar(value: number): HostTensor {
  return { dtype: 'I64', shape: [], data: BigInt64Array.of(BigInt(value)) };
}

/** A name as it appears in an error: quoted, on one line, at most 120 characters. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}...` : name);
}
