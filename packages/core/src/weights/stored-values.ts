import { widenBrain, widenHalf } from './half.js';
import { type DType, type TypedArray, dtypes } from './host-tensor.js';

/**
 * The values of `length` bytes from `start` on, little-endian: a view into `bytes` where the alignment allows it, otherwise a
 * copy; F16 and BF16 widened to a new Float32Array. `length` is a multiple of the dtype's size.
 */
export function storedValues(bytes: Uint8Array, start: number, length: number, dtype: DType): TypedArray {
  const rule = dtypes[dtype];
  let buffer: ArrayBufferLike = bytes.buffer;
  let offset = bytes.byteOffset + start;
  if (offset % rule.bytes !== 0) {
    buffer = bytes.buffer.slice(offset, offset + length); // `bytes.slice` of a Node Buffer would be no copy
    offset = 0;
  }
  const count = length / rule.bytes;
  if (dtype === 'F16') return widenHalf(new Uint16Array(buffer, offset, count));
  if (dtype === 'BF16') return widenBrain(new Uint16Array(buffer, offset, count));
  return new rule.array(buffer, offset, count);
}
