import { readFileSync } from 'node:fs';
import { fnv1a } from '@convkit/core';
import { expect, test } from 'vitest';
import { fillInput, fillValues, hash, noise } from './fill.js';

interface Vectors {
  fnv1a: Record<string, number>;
  hash: Record<string, number[]>;
  hash_at: Record<string, Record<string, number>>;
  u: Record<string, number[]>;
  float32_values: Record<string, { shape: number[]; first: number[]; last: number; sum: number }>;
  input_float32: number[];
  input_detection_float32: number[];
}
const vectors = JSON.parse(readFileSync(new URL('__fixtures__/fill-vectors.json', import.meta.url), 'utf8')) as Vectors;

test('names hash to the recorded seeds', () => {
  for (const [name, expected] of Object.entries(vectors.fnv1a)) expect(fnv1a(name), name).toBe(expected);
});

test('elements hash to the recorded values, far ones included', () => {
  for (const [name, expected] of Object.entries(vectors.hash)) expect(expected.map((_, i) => hash(name, i))).toEqual(expected);
  for (const [name, at] of Object.entries(vectors.hash_at))
    for (const [i, expected] of Object.entries(at)) expect(hash(name, Number(i)), `${name}[${i}]`).toBe(expected);
});

test('noise is the recorded float64 sequence', () => {
  for (const [name, expected] of Object.entries(vectors.u)) expect([...noise(name, expected.length)]).toEqual(expected);
});

test('weights have the recorded float32 values', () => {
  for (const [name, { shape, first, last, sum }] of Object.entries(vectors.float32_values)) {
    const values = fillValues(name, shape);
    expect([...values.subarray(0, first.length)], name).toEqual(first);
    expect(values.at(-1), name).toBe(last);
    expect(Math.abs(values.reduce((a, b) => a + b, 0) - sum), name).toBeLessThan(1e-9 * Math.max(1, Math.abs(sum)));
  }
});

test('inputs have the recorded float32 values, in NHWC order', () => {
  const side = 4;
  const channelFirst = (values: Float32Array) => Array.from({ length: 8 }, (_, k) => values[k * 3]);
  expect(channelFirst(fillInput([1, 3, side, side]))).toEqual(vectors.input_float32.slice(0, 8));
  expect(channelFirst(fillInput([1, 3, side, side], { unit: true }))).toEqual(vectors.input_detection_float32.slice(0, 8));
});
