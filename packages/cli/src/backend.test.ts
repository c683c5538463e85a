import { expect, test } from 'vitest';
import { fallbackNote } from './backend.js';

test('a command tells at its end which kernels ran in JavaScript, how often and for how long, the slowest first', () => {
  const counted = new Map([
    ['Unique', { calls: 1, ms: 0.2 }],
    ['Cumprod', { calls: 40, ms: 812.4 }],
  ]);
  expect(fallbackNote(counted)).toBe(
    'without ONNX form, and so run in JavaScript: Cumprod 40 times (813 ms), Unique 1 time (1 ms)',
  );
  expect(fallbackNote(new Map())).toBeUndefined();
});
