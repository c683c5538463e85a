// The machine code of bilinear resizing: OpenCV's in whole numbers, Darknet's in floats.
import {
  type Code,
  type FunctionSource,
  type Local,
  V128,
  assemble,
  at,
  constant,
  increase,
  simd,
  vector,
  whileAtLeast,
} from '../backend/wasm/assembler.js';

/** Distances in bytes. */
export const COLUMN = 8;
export const FLOAT_COLUMN = 12;
export const PIXEL = 12;
export const VECTOR = 16;

const shiftRight = (value: Code, bits: number): Code => [value, constant(bits), simd(0xac)];
const addInts = (a: Code, b: Code): Code => [a, b, simd(0xae)];
const timesInts = (a: Code, b: Code): Code => [a, b, simd(0xb5)];
const divide = (a: Code, b: Code): Code => [a, b, simd(0xe7)];
const toFloats = (ints: Code): Code => [ints, simd(0xfa)];
const loadVector = (address: Code): Code => [address, simd(0x00), at(0)];
const storeVector = (address: Code, value: Code): Code => [address, value, simd(0x0b), at(0)];
const splat = (value: Code): Code => [value, simd(0x11)];
const zeros: Code = [simd(0x0c), new Array<number>(16).fill(0)];

/** Two pixels of bytes that follow each other, as pairs of 16 bits: r r g g b b and a pair of no meaning. */
const pairs = (address: Code): Code => {
  const bytes: Code = [address, simd(0x5d), at(0)];
  return [bytes, zeros, simd(0x0d), [0, 3, 1, 4, 2, 5, 6, 7].flatMap((byte) => [byte, 16])];
};

/** A row of bytes → the same row along x, a pixel as three 32-bit numbers of 15 bits. `columns`: offset of the first pixel, both weights. */
const resizeRow: FunctionSource = {
  name: 'resizeRow',
  parameters: ['row', 'columns', 'out', 'count'],
  body: (l) => {
    const [row, columns, out, count] = l.all(['row', 'columns', 'out', 'count']);
    const offset: Code = [columns.get, 0x28, at(0)];
    const weights: Code = [columns.get, simd(0x09), at(4)];
    const sums: Code = [pairs([row.get, offset, 0x6a]), weights, simd(0xba)];
    const body = [storeVector(out.get, shiftRight(sums, 4)), increase(columns, constant(COLUMN)), increase(out, constant(PIXEL))];
    return whileAtLeast(count, 1, body);
  },
};

/** Two resized rows → the bytes between them, over 255 as floats. `count`: vectors. */
const mixRows: FunctionSource = {
  name: 'mixRows',
  parameters: ['upper', 'lower', 'upperWeight', 'lowerWeight', 'out', 'count'],
  body: (l) => {
    const [upper, lower, out] = l.all(['upper', 'lower', 'out']);
    const [first, second, most] = l.all(['first', 'second', 'most'], V128);
    const share = (values: Local, weight: Local): Code => shiftRight(timesInts(loadVector(values.get), weight.get), 16);
    const two = splat(constant(2));
    const bytes = shiftRight(addInts(addInts(share(upper, first), share(lower, second)), two), 2);
    const body = [
      storeVector(out.get, divide(toFloats(bytes), most.get)),
      [upper, lower, out].map((pointer) => increase(pointer, constant(VECTOR))),
    ];
    return [
      first.set(splat(l.get('upperWeight').get)),
      second.set(splat(l.get('lowerWeight').get)),
      most.set(toFloats(splat(constant(255)))),
      whileAtLeast(l.get('count'), 1, body),
    ];
  },
};

/** `resizeRow` in Darknet's floats: bytes over 255. `columns`: offset of the first pixel, both weights as floats. */
const resizeFloatRow: FunctionSource = {
  name: 'resizeFloatRow',
  parameters: ['row', 'columns', 'out', 'count'],
  body: (l) => {
    const [row, columns, out, count] = l.all(['row', 'columns', 'out', 'count']);
    const [bytes, most] = l.all(['bytes', 'most'], V128);
    const offset: Code = [columns.get, 0x28, at(0)];
    /** The pixel whose first byte is the `first` of those that were loaded, times its weight. */
    const share = (first: number): Code => {
      const lanes = [0, 1, 2, 3].flatMap((byte) => [first + byte, 16, 16, 16]);
      const pixel: Code = [bytes.get, zeros, simd(0x0d), lanes];
      return vector.mul(divide(toFloats(pixel), most.get), vector.loadSplat(columns.get, first === 0 ? 4 : 8));
    };
    const body = [
      bytes.set([row.get, offset, 0x6a, simd(0x5d), at(0)]),
      storeVector(out.get, vector.add(share(0), share(3))),
      increase(columns, constant(FLOAT_COLUMN)),
      increase(out, constant(PIXEL)),
    ];
    return [most.set(toFloats(splat(constant(255)))), whileAtLeast(count, 1, body)];
  },
};

/** Two rows of floats → `weights[0]` · upper + `weights[1]` · lower. `count`: vectors. */
const mixFloatRows: FunctionSource = {
  name: 'mixFloatRows',
  parameters: ['upper', 'lower', 'weights', 'out', 'count'],
  body: (l) => {
    const [upper, lower, weights, out] = l.all(['upper', 'lower', 'weights', 'out']);
    const share = (values: Local, place: number): Code =>
      vector.mul(loadVector(values.get), vector.loadSplat(weights.get, 4 * place));
    const body = [
      storeVector(out.get, vector.add(share(upper, 0), share(lower, 1))),
      [upper, lower, out].map((pointer) => increase(pointer, constant(VECTOR))),
    ];
    return whileAtLeast(l.get('count'), 1, body);
  },
};

export interface ResizeKernels {
  resizeRow(row: number, columns: number, out: number, count: number): void;
  mixRows(upper: number, lower: number, upperWeight: number, lowerWeight: number, out: number, count: number): void;
  resizeFloatRow(row: number, columns: number, out: number, count: number): void;
  mixFloatRows(upper: number, lower: number, weights: number, out: number, count: number): void;
}

/** The kernels on a memory; undefined where the engine has no SIMD, or a page may not compile WebAssembly. */
export function resizeKernels(memory: WebAssembly.Memory): ResizeKernels | undefined {
  const bytes = assemble([resizeRow, mixRows, resizeFloatRow, mixFloatRows], false);
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    return exports as unknown as ResizeKernels;
  } catch {
    return undefined;
  }
}
