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
import type { ResizedRows, Taps } from './resize-bilinear.js';
import type { Positions } from './resize-darknet.js';

/** Distances in bytes. */
const COLUMN = 8;
const FLOAT_COLUMN = 12;
const PIXEL = 12;
const VECTOR = 16;

const shiftRight = (value: Code, bits: number): Code => [value, constant(bits), simd(0xac)];
const addInts = (a: Code, b: Code): Code => [a, b, simd(0xae)];
const timesInts = (a: Code, b: Code): Code => [a, b, simd(0xb5)];
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
    const [row, columns, out, count] = ['row', 'columns', 'out', 'count'].map((name) => l.get(name)) as [
      Local,
      Local,
      Local,
      Local,
    ];
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
    const [upper, lower, out] = ['upper', 'lower', 'out'].map((name) => l.get(name)) as [Local, Local, Local];
    const [first, second, most] = ['first', 'second', 'most'].map((name) => l.get(name, V128)) as [Local, Local, Local];
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

const divide = (a: Code, b: Code): Code => [a, b, simd(0xe7)];
const toFloats = (ints: Code): Code => [ints, simd(0xfa)];

/** `resizeRow` in Darknet's floats: bytes over 255. `columns`: offset of the first pixel, both weights as floats. */
const resizeFloatRow: FunctionSource = {
  name: 'resizeFloatRow',
  parameters: ['row', 'columns', 'out', 'count'],
  body: (l) => {
    const [row, columns, out, count] = ['row', 'columns', 'out', 'count'].map((name) => l.get(name)) as [
      Local,
      Local,
      Local,
      Local,
    ];
    const [bytes, most] = ['bytes', 'most'].map((name) => l.get(name, V128)) as [Local, Local];
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
    const [upper, lower, weights, out] = ['upper', 'lower', 'weights', 'out'].map((name) => l.get(name)) as [
      Local,
      Local,
      Local,
      Local,
    ];
    const share = (values: Local, place: number): Code =>
      vector.mul(loadVector(values.get), vector.loadSplat(weights.get, 4 * place));
    const body = [
      storeVector(out.get, vector.add(share(upper, 0), share(lower, 1))),
      [upper, lower, out].map((pointer) => increase(pointer, constant(VECTOR))),
    ];
    return whileAtLeast(l.get('count'), 1, body);
  },
};

interface Kernels {
  resizeFloatRow(row: number, columns: number, out: number, count: number): void;
  mixFloatRows(upper: number, lower: number, weights: number, out: number, count: number): void;
  resizeRow(row: number, columns: number, out: number, count: number): void;
  mixRows(upper: number, lower: number, upperWeight: number, lowerWeight: number, out: number, count: number): void;
}

let memory: WebAssembly.Memory | undefined;
let kernels: Kernels | undefined;

/** Loads the kernels at the first call; undefined where the engine has no SIMD, or a page may not compile WebAssembly. */
function load(): Kernels | undefined {
  if (memory) return kernels;
  memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = assemble([resizeRow, mixRows, resizeFloatRow, mixFloatRows], false);
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    kernels = exports as unknown as Kernels;
  } catch {
    kernels = undefined;
  }
  return kernels;
}

/** Room in the memory: `columns` bytes of a table, a row of an image, and three rows that are resized from it. */
function rooms(columns: number, width: number, count: number) {
  const rowBytes = count * PIXEL + VECTOR;
  const first = Math.ceil((columns + 3 * width + VECTOR) / VECTOR) * VECTOR;
  const missing = first + 3 * rowBytes - memory!.buffer.byteLength;
  if (missing > 0) memory!.grow(Math.ceil(missing / 65536));
  const { buffer } = memory!;
  return {
    buffer,
    source: new Uint8Array(buffer, columns, 3 * width),
    places: [first, first + rowBytes] as const,
    out: new Float32Array(buffer, first + 2 * rowBytes, 3 * count),
    vectors: Math.ceil((3 * count) / 4),
  };
}

/** `plainRows` with four values at a time, of the same bits; undefined where the engine cannot. */
export function simdRows(width: number, columns: Taps): ResizedRows | undefined {
  const found = load();
  if (!found) return undefined;
  const count = columns.first.length;
  const { buffer, source, places, out, vectors } = rooms(count * COLUMN, width, count);
  writeColumns(new Int32Array(buffer, 0, 2 * count), columns, width);
  return {
    take(place, row) {
      source.set(row);
      found.resizeRow(source.byteOffset, 0, places[place], count);
    },
    mix(upper, upperWeight, lowerWeight, values, start) {
      found.mixRows(places[upper], places[1 - upper], upperWeight, lowerWeight, out.byteOffset, vectors);
      values.set(out, start);
    },
  };
}

/** The same for Darknet's floats, `plainFloatRows`. */
export function simdFloatRows(width: number, { cells, parts }: Positions): ResizedRows | undefined {
  const found = load();
  if (!found) return undefined;
  const count = cells.length;
  const table = count * FLOAT_COLUMN;
  const { buffer, source, places, out, vectors } = rooms(table + 8, width, count);
  const [offsets, weights] = [new Int32Array(buffer, 0, 3 * count), new Float32Array(buffer, 0, 3 * count + 2)];
  for (let x = 0; x < count; x++) {
    const last = x === count - 1 && width > 1; // the last pixel alone
    offsets[3 * x] = 3 * (last ? width - 2 : cells[x]);
    const part = last ? 1 : parts[x];
    weights[3 * x + 1] = 1 - part;
    weights[3 * x + 2] = part;
  }
  return {
    take(place, row) {
      source.set(row);
      found.resizeFloatRow(source.byteOffset, 0, places[place], count);
    },
    mix(upper, upperWeight, lowerWeight, values, start) {
      weights[3 * count] = upperWeight;
      weights[3 * count + 1] = lowerWeight;
      found.mixFloatRows(places[upper], places[1 - upper], table, out.byteOffset, vectors);
      values.set(out, start);
    },
  };
}

/** Both pixels of a tap lie side by side: at the right edge, where only the last one counts, as the second of the two. */
function writeColumns(to: Int32Array, { first, firstWeight, secondWeight }: Taps, width: number): void {
  for (let x = 0; x < first.length; x++) {
    const last = width > 1 && first[x] === width - 1;
    to[2 * x] = 3 * (last ? width - 2 : first[x]);
    const [a, b] = last ? [secondWeight[x], firstWeight[x]] : [firstWeight[x], secondWeight[x]];
    to[2 * x + 1] = a | (b << 16);
  }
}
