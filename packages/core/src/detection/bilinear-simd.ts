import type { ResizedRows, Taps } from './resize-bilinear.js';
import type { Positions } from './resize-darknet.js';
import { COLUMN, FLOAT_COLUMN, PIXEL, type ResizeKernels, VECTOR, resizeKernels } from './resize-kernels.js';

let memory: WebAssembly.Memory | undefined;
let kernels: ResizeKernels | undefined;

/** Loads the kernels at the first call; undefined where they cannot run. */
function load(): ResizeKernels | undefined {
  if (!memory) {
    memory = new WebAssembly.Memory({ initial: 1 });
    kernels = resizeKernels(memory);
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
