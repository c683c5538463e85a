import { expect, test } from 'vitest';
import { Random } from '../random.js';
import { narrowBrain, narrowHalf, widenBrain, widenHalf } from './half.js';

const float = (half: number): number => {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return exponent ? sign * (1 + mantissa / 1024) * 2 ** (exponent - 15) : sign * mantissa * 2 ** -24;
};

test('every F16 value is widened exactly, and narrowed back to the same bits', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const wide = widenHalf(all);
  expect(all.filter((half) => !Object.is(wide[half], float(half)))).toEqual(new Uint16Array(0));
  const back = narrowHalf(wide);
  expect(all.filter((half) => (Number.isNaN(wide[half]) ? !Number.isNaN(float(back[half])) : back[half] !== half))).toEqual(
    new Uint16Array(0),
  );
});

test('every BF16 value survives widening and narrowing', () => {
  const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const back = narrowBrain(widenBrain(all));
  for (let i = 0; i < 65536; i++) {
    const nan = (i & 0x7fff) > 0x7f80;
    expect(back[i]).toBe(nan ? i | 0x40 : i);
  }
});

/** The nearest of the two neighbours on the grid of `narrow`, ties to the even one, computed in exact float64 arithmetic. */
function nearest(value: number, below: number, above: number, belowIsEven: boolean): number {
  const low = value - below;
  const high = above - value;
  if (low === high) return belowIsEven ? below : above;
  return low < high ? below : above;
}

test('narrowing to F16 rounds to nearest even at every step of the grid, from float32 and from float64', () => {
  for (let half = 0; half < 0x7bff; half++) {
    const below = float(half);
    const above = float(half + 1);
    const middle = (below + above) / 2;
    const step = (above - below) * 2 ** -20; // finer than float32 can hold: seen only when float64 is rounded once
    const cases = [middle - step, middle, middle + step, below, above - step / 8];
    const expected = cases.map((value) => nearest(value, below, above, half % 2 === 0));
    expect([...widenHalf(narrowHalf(Float64Array.from(cases)))]).toEqual(expected);
    const coarse = Float32Array.of(middle, middle * (1 + 2 ** -20), middle * (1 - 2 ** -20));
    expect([...widenHalf(narrowHalf(coarse))]).toEqual([...coarse].map((value) => nearest(value, below, above, half % 2 === 0)));
  }
});

test('narrowing to F16 overflows to infinity from 65520 on and keeps signs', () => {
  const values = Float32Array.of(65504, 65519.99, 65520, 1e10, Infinity, -65520, -0, -1e-10, 2 ** -25, -(2 ** -25) * 1.0001);
  expect([...widenHalf(narrowHalf(values))]).toEqual([
    65504,
    65504,
    Infinity,
    Infinity,
    Infinity,
    -Infinity,
    -0,
    -0,
    0,
    -(2 ** -24),
  ]);
});

test('narrowing to BF16 rounds to nearest even, from float64 in one rounding', () => {
  const random = new Random(7);
  for (let i = 0; i < 20_000; i++) {
    const bits = Math.floor(random.uniform(0, 0x7f7f));
    const [below, above] = widenBrain(Uint16Array.of(bits, bits + 1));
    const middle = (below + above) / 2;
    const cases = [middle, middle + (above - below) * 2 ** -26, middle - (above - below) * 2 ** -26];
    const expected = cases.map((value) => nearest(value, below, above, bits % 2 === 0));
    expect([...widenBrain(narrowBrain(Float64Array.from(cases)))]).toEqual(expected);
  }
  expect([...widenBrain(narrowBrain(Float32Array.of(3.4e38, 3.5e38, NaN, -Infinity)))]).toEqual([
    widenBrain(Uint16Array.of(0x7f80))[0],
    Infinity,
    NaN,
    -Infinity,
  ]);
});
