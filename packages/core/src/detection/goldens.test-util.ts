import { existsSync, readFileSync } from 'node:fs';
import crc32 from 'crc-32';
import { expect } from 'vitest';
import type { Image } from '../image.js';
import { fnv1a, mix } from '../random.js';

/** All values of a reference, or every `stride`-th, or a checksum of bytes; with their sum. */
export interface ValueRecord {
  shape: number[];
  sum: number;
  data?: number[];
  stride?: number;
  strided?: number[];
  crc32?: number;
}

/** The reference data beside the checkout where it is there, or else what this folder keeps of it. */
export function readGoldens<T>(fixture: string, shared: string): T[] {
  const kept = new URL(`__fixtures__/${fixture}.json`, import.meta.url);
  const whole = new URL(`../../../../../shared/goldens/boxes/${shared}.json`, import.meta.url);
  return [kept, whole].filter((path) => existsSync(path)).map((path) => JSON.parse(readFileSync(path, 'utf8')) as T);
}

function hashes(name: string, count: number): Uint32Array {
  const seed = fnv1a(name);
  return Uint32Array.from({ length: count }, (_, i) => mix((seed + Math.imul(i + 1, 0x9e3779b9)) >>> 0));
}

/** Values in [−1, 1) that depend only on the name. */
export const unit = (name: string, count: number): Float64Array =>
  Float64Array.from(hashes(name, count), (hash) => hash / 2 ** 31 - 1);

/** A picture whose bytes depend only on the name. */
export const bytesImage = (name: string, height: number, width: number): Image => ({
  pixels: Uint8Array.from(hashes(name, height * width * 3), (hash) => hash >>> 24),
  width,
  height,
});

export function expectValues(values: ArrayLike<number>, record: ValueRecord, tolerance: number): void {
  expect(values.length).toBe(record.shape.reduce((a, b) => a * b, 1));
  const { data, stride = 1, strided = data ?? [] } = record;
  let worst = 0;
  strided.forEach((value, k) => (worst = Math.max(worst, Math.abs(values[k * stride] - value))));
  expect(worst).toBeLessThanOrEqual(tolerance);
  expect(Math.abs(Array.from(values).reduce((a, b) => a + b, 0) - record.sum)).toBeLessThanOrEqual(tolerance * values.length);
}

export function expectBytes(bytes: Uint8Array, record: ValueRecord): void {
  expect(bytes.length).toBe(record.shape.reduce((a, b) => a * b, 1));
  if (record.data) expect(bytes.findIndex((byte, i) => byte !== record.data![i])).toBe(-1);
  if (record.crc32 !== undefined) expect(crc32.buf(bytes) >>> 0).toBe(record.crc32);
  expect(bytes.reduce((a, b) => a + b, 0)).toBe(record.sum);
}
