import { expect, test } from 'vitest';
import { Random } from '../../random.js';
import { simdKernels } from './simd.js';

const memory = new WebAssembly.Memory({ initial: 4 });
const kernels = simdKernels(memory)!;
const floats = new Float32Array(memory.buffer);
const random = new Random(5);

/** `count` random values at the float index `at`; their address and a copy. */
function place(at: number, count: number): { address: number; values: Float32Array } {
  for (let i = 0; i < count; i++) floats[at + i] = random.uniform(-1, 1);
  return { address: 4 * at, values: floats.slice(at, at + count) };
}

function expectAt(at: number, expected: readonly number[]): void {
  expected.forEach((value, i) => expect(floats[at + i], `element ${i}`).toBeCloseTo(value, 4));
}

/** Every split of the channels into tiles of four vectors, single vectors and single values. */
const channelCounts = [1, 3, 4, 5, 7, 8, 16, 19, 23, 39];
const rows = 7;

test.each(channelCounts)('per-channel kernels are right for %i channels', (channels) => {
  const n = rows * channels;
  const [x, dy] = [place(0, n), place(1000, n)];
  const [a, b, c] = [place(2000, channels), place(2100, channels), place(2200, channels)];
  const of = (array: { values: Float32Array }, i: number) => array.values[i % array.values.length];
  const all = Array.from({ length: n }, (_, i) => i);

  kernels.affine(x.address, a.address, b.address, 4 * 3000, rows, channels);
  expectAt(
    3000,
    all.map((i) => of(x, i) * of(a, i) + of(b, i)),
  );
  kernels.affinePair(dy.address, x.address, a.address, b.address, c.address, 4 * 3000, rows, channels);
  expectAt(
    3000,
    all.map((i) => of(dy, i) * of(a, i) + of(x, i) * of(b, i) + of(c, i)),
  );
  kernels.reluGradient(dy.address, x.address, 4 * 3000, n);
  expectAt(
    3000,
    all.map((i) => (of(x, i) > 0 ? of(dy, i) : 0)),
  );
  const s = place(5000, n);
  kernels.siluGradient(dy.address, x.address, s.address, s.address, n);
  expectAt(
    5000,
    all.map((i) => of(dy, i) * of(s, i) * (of(x, i) * (1 - of(s, i)) + 1)),
  );

  const perChannel = (term: (i: number) => number) =>
    Array.from({ length: channels }, (_, k) => all.filter((i) => i % channels === k).reduce((sum, i) => sum + term(i), 0));
  kernels.moments(x.address, a.address, 4 * 4000, 4 * 4100, rows, channels);
  expectAt(
    4000,
    perChannel((i) => of(x, i) - of(a, i)),
  );
  expectAt(
    4100,
    perChannel((i) => (of(x, i) - of(a, i)) ** 2),
  );
  kernels.correlations(dy.address, x.address, a.address, 4 * 4000, 4 * 4100, rows, channels);
  expectAt(
    4000,
    perChannel((i) => of(dy, i)),
  );
  expectAt(
    4100,
    perChannel((i) => of(dy, i) * (of(x, i) - of(a, i))),
  );
});

test.each(channelCounts)('kernels over planes step over what lies between for %i channels', (channels) => {
  const [height, width] = [3, 4];
  const pitch = channels + 2;
  const x = place(0, 1500);
  const at = (row: number, column: number) => (row * 5 + column) * pitch;
  const xColumn = 4 * pitch;
  const xRow = 4 * pitch;
  const dy = place(2000, height * width * channels);
  floats.fill(1, 5000, 5000 + channels);
  kernels.products(x.address, dy.address, 4 * 5000, height, width, xRow, xColumn, 0, 4 * channels, channels);
  const places = Array.from({ length: height * width }, (_, i) => [Math.floor(i / width), i % width] as const);
  expectAt(
    5000,
    Array.from({ length: channels }, (_, c) =>
      places.reduce((sum, [r, k], i) => sum + x.values[at(r, k) + c] * dy.values[i * channels + c], 1),
    ),
  );
  kernels.copy(x.address, 4 * 6000, height, width, xRow, xColumn, 0, 4 * channels, channels);
  expectAt(
    6000,
    places.flatMap(([r, k]) => Array.from({ length: channels }, (_, c) => x.values[at(r, k) + c])),
  );
});

test.each([
  [1, 1],
  [3, 10],
  [4, 8],
  [5, 13],
  [8, 4],
])('outer products are right for %i inputs and %i outputs', (cin, cout) => {
  const [height, width] = [3, 4];
  const [x, dy] = [place(0, height * width * cin), place(1000, height * width * cout)];
  floats.fill(2, 5000, 5000 + cin * (cout + 1));
  const outRow = 4 * (cout + 1);
  kernels.outerProducts(x.address, dy.address, 4 * 5000, height, width, 0, 4 * cin, 0, 4 * cout, cin, cout, outRow);
  for (let i = 0; i < cin; i++) {
    const row = Array.from({ length: cout }, (_, j) => {
      let sum = 2;
      for (let p = 0; p < height * width; p++) sum += x.values[p * cin + i] * dy.values[p * cout + j];
      return sum;
    });
    expectAt(5000 + i * (cout + 1), [...row, 2]);
  }
});

test('kernels work on the shared memory of a backend with threads', () => {
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 32768, shared: true });
  const values = new Float32Array(shared.buffer);
  values.set([1, -1, 5, 6]);
  simdKernels(shared)!.reluGradient(8, 0, 16, 2);
  expect(Array.from(values.slice(4, 6))).toEqual([5, 0]);
});
