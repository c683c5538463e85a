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
  whileAtLeast,
} from '../backend/wasm/assembler.js';
import type { ResizedRows, Taps } from './resize-bilinear.js';

/** Distances in bytes. */
const COLUMN = 8;
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
    const floats = (ints: Code): Code => [ints, simd(0xfa)];
    const body = [
      storeVector(out.get, [floats(bytes), most.get, simd(0xe7)]),
      [upper, lower, out].map((pointer) => increase(pointer, constant(VECTOR))),
    ];
    return [
      first.set(splat(l.get('upperWeight').get)),
      second.set(splat(l.get('lowerWeight').get)),
      most.set(floats(splat(constant(255)))),
      whileAtLeast(l.get('count'), 1, body),
    ];
  },
};

interface Kernels {
  resizeRow(row: number, columns: number, out: number, count: number): void;
  mixRows(upper: number, lower: number, upperWeight: number, lowerWeight: number, out: number, count: number): void;
}

let memory: WebAssembly.Memory | undefined;
let kernels: Kernels | undefined;

/** Loads the kernels at the first call; undefined where the engine has no SIMD, or a page may not compile WebAssembly. */
function load(): Kernels | undefined {
  if (memory) return kernels;
  memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = assemble([resizeRow, mixRows], false);
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    kernels = exports as unknown as Kernels;
  } catch {
    kernels = undefined;
  }
  return kernels;
}

/** `plainRows` with four values at a time, of the same bits; undefined where the engine cannot. */
export function simdRows(width: number, columns: Taps): ResizedRows | undefined {
  const found = load();
  if (!found) return undefined;
  const count = columns.first.length;
  const rowBytes = count * PIXEL + VECTOR;
  const [source, out] = [count * COLUMN, count * COLUMN + 3 * width + VECTOR];
  const places = [out + rowBytes, out + 2 * rowBytes] as const;
  const missing = out + 3 * rowBytes - memory!.buffer.byteLength;
  if (missing > 0) memory!.grow(Math.ceil(missing / 65536));
  const { buffer } = memory!;
  writeColumns(new Int32Array(buffer, 0, 2 * count), columns, width);
  const bytes = new Uint8Array(buffer, source, 3 * width);
  const floats = new Float32Array(buffer, Math.ceil(out / 4) * 4, 3 * count);
  const vectors = Math.ceil((3 * count) / 4);
  return {
    take(place, row) {
      bytes.set(row);
      found.resizeRow(source, 0, places[place], count);
    },
    mix(upper, upperWeight, lowerWeight, values, start) {
      found.mixRows(places[upper], places[1 - upper], upperWeight, lowerWeight, floats.byteOffset, vectors);
      values.set(floats, start);
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
