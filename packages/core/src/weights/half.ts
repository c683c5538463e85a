/**
 * Conversions between float32 and the two 16-bit formats: F16 is IEEE 754 binary16 (5 exponent bits, 10 mantissa bits),
 * BF16 the upper half of a float32. Widening is exact; narrowing rounds to nearest, ties to even.
 */

let widened: Uint32Array | undefined;

/** The float32 bits of each of the 65,536 F16 values. */
function wideningTable(): Uint32Array {
  if (widened) return widened;
  const table = new Uint32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    let mantissa = half & 1023;
    if (exponent === 31) table[half] = sign | 0x7f800000 | (mantissa << 13);
    else if (exponent > 0) table[half] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    else if (mantissa === 0) table[half] = sign;
    else {
      let shift = 0;
      for (; (mantissa & 1024) === 0; mantissa <<= 1) shift++;
      table[half] = sign | ((113 - shift) << 23) | ((mantissa & 1023) << 13);
    }
  }
  return (widened = table);
}

/** F16 → float32. */
export function widenHalf(values: Uint16Array): Float32Array {
  const table = wideningTable();
  const result = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = table[values[i]];
  return new Float32Array(result.buffer);
}

/** BF16 → float32. */
export function widenBrain(values: Uint16Array): Float32Array {
  const result = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i] << 16;
  return new Float32Array(result.buffer);
}

/** float32 or float64 → F16. */
export function narrowHalf(values: Float32Array | Float64Array): Uint16Array {
  const bits = floatBits(values);
  const result = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i] >>> 16) & 0x8000;
    const magnitude = bits[i] & 0x7fffffff;
    if (magnitude > 0x7f800000) {
      result[i] = sign | 0x7e00 | ((magnitude >>> 13) & 1023); // NaN, made quiet so that it cannot become infinity
    } else if (magnitude >= 0x47800000) {
      result[i] = sign | 0x7c00; // 65536 and more
    } else if (magnitude >= 0x38800000) {
      const rebased = magnitude - (112 << 23);
      result[i] = sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13); // may carry into the exponent, up to infinity
    } else if (magnitude > 0x33000000) {
      const shift = 126 - (magnitude >>> 23); // 14 … 24 bits below the subnormal grid of 2^-24
      const mantissa = (magnitude & 0x7fffff) | 0x800000;
      const kept = mantissa >>> shift;
      const rest = mantissa & ((1 << shift) - 1);
      const half = 1 << (shift - 1);
      result[i] = sign | (rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept);
    } else {
      result[i] = sign; // 2^-25 and less
    }
  }
  return result;
}

/** float32 or float64 → BF16. */
export function narrowBrain(values: Float32Array | Float64Array): Uint16Array {
  const bits = floatBits(values);
  const result = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    if ((b & 0x7fffffff) > 0x7f800000) result[i] = (b >>> 16) | 0x40;
    else result[i] = (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return result;
}

/**
 * The float32 bits of the values. A float64 is rounded to odd on the way (the last bit is set when anything was cut
 * off), so that rounding a second time gives what rounding once would have given.
 */
function floatBits(values: Float32Array | Float64Array): Uint32Array {
  if (values instanceof Float32Array) return new Uint32Array(values.buffer, values.byteOffset, values.length);
  const floats = new Float32Array(values);
  const bits = new Uint32Array(floats.buffer);
  for (let i = 0; i < bits.length; i++) {
    const exact = values[i];
    const rounded = floats[i];
    if (rounded === exact || Number.isNaN(exact)) continue;
    if (Math.abs(rounded) > Math.abs(exact)) bits[i]--;
    bits[i] |= 1;
  }
  return bits;
}
