import { expect, test } from 'vitest';
import { makeDivisible } from './channels.js';

test.each([
  [33, 32], // the nearest multiple of 8
  [36, 40], // a half goes up
  [11, 16], // 8 would lose more than a tenth
  [1, 8], // never less than the divisor
  [24 * 1.4, 32],
  [1280 * 1.4, 1792],
])('%f channels become %i', (channels, expected) => {
  expect(makeDivisible(channels)).toBe(expected);
});
