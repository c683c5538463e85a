import { expect, test } from 'vitest';
import { cifarRecordBytes, CifarRecords } from './records.js';

function twoRecords(): Uint8Array {
  const bytes = new Uint8Array(2 * cifarRecordBytes);
  bytes[cifarRecordBytes] = 9;
  // Second record, pixel (x 1, y 2): red 10, green 20, blue 30
  for (const plane of [0, 1, 2]) bytes[cifarRecordBytes + 1 + plane * 1024 + 2 * 32 + 1] = 10 * (plane + 1);
  return bytes;
}

test('a record is a label and the planes of red, green and blue', () => {
  const records = new CifarRecords(twoRecords());
  expect([records.length, records.label(0), records.label(1), records.classes[9]]).toEqual([2, 0, 9, 'truck']);
  const { pixels, width, height } = records.image(1);
  expect([width, height]).toEqual([32, 32]);
  expect([...pixels.subarray((2 * 32 + 1) * 3, (2 * 32 + 2) * 3)]).toEqual([10, 20, 30]);
  expect(pixels.reduce((a, b) => a + b)).toBe(60);
});

test('the first records share their memory', () => {
  const records = new CifarRecords(twoRecords());
  expect(records.first(1).length).toBe(1);
  expect(records.first(1).bytes.buffer).toBe(records.bytes.buffer);
});

test('a file that ends inside a record is refused', () => {
  const cut = () => new CifarRecords(twoRecords().subarray(0, 4000), { name: 'data_batch_1.bin' });
  expect(cut).toThrow('data_batch_1.bin: expected records of 3073 bytes, found 4000 bytes, which end inside record 1');
});

test('a label without a class is refused, with its record', () => {
  const bytes = twoRecords();
  bytes[cifarRecordBytes] = 10;
  expect(() => new CifarRecords(bytes, { name: 'test_batch.bin' })).toThrow(
    'test_batch.bin: expected labels of 0 … 9, found 10 in record 1',
  );
});

test('an index out of range is refused', () => {
  const records = new CifarRecords(twoRecords());
  for (const index of [-1, 2, NaN]) expect(() => records.label(index)).toThrow(`expected an index of 0 … 1, found ${index}`);
});
