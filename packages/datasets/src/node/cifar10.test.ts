import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { cifar10Classes } from '@convkit/core';
import { cifarRecordBytes } from '../records.js';
import { cifarEntries, folder, tarGz } from './__fixtures__/tar.js';
import { cifar10, loadCifar10 } from './cifar10.js';
import { recordFolder, writeSyntheticRecords } from './synthetic-files.js';

const root = mkdtempSync(join(tmpdir(), 'convkit-cifar-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const newDirectory = (): string => mkdtempSync(join(root, 'd-'));
const records = 4;
const archive = tarGz(cifarEntries(records));
const md5 = createHash('md5').update(archive).digest('hex');

/** A server of the archive; `cut` breaks the first connection after so many bytes. */
async function serve(body = archive, cut = Infinity): Promise<{ url: string; requests: (string | undefined)[] }> {
  const requests: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    requests.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const head = { 'content-length': body.length - from, etag: '"a"', 'accept-ranges': 'bytes' };
    if (from > 0) response.writeHead(206, { ...head, 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` });
    else response.writeHead(200, head);
    if (requests.length === 1 && cut < body.length)
      response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 50));
    else response.end(body.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.tar.gz`, requests };
}

/** A folder with these files of `count` records each. */
function filledFolder(files: readonly string[], count = records): string {
  const dir = newDirectory();
  mkdirSync(join(dir, folder));
  for (const { name, content } of cifarEntries(count)) {
    if (content && files.some((file) => name.endsWith(file))) writeFileSync(join(dir, name), content);
  }
  return dir;
}
const local = { url: 'http://127.0.0.1:9/none', md5, recordsPerFile: records };

test('the archive is downloaded once, checked, unpacked and removed; then no server is needed', async () => {
  const { url, requests } = await serve();
  const dir = newDirectory();
  const progress: number[] = [];
  const source = { url, md5, recordsPerFile: records };
  const train = await loadCifar10(
    { dir, split: 'train', download: true, onProgress: ({ received }) => progress.push(received) },
    source,
  );
  expect([train.length, train.name, train.notice, train.classes]).toEqual([20, 'cifar10 train', undefined, [...cifar10Classes]]);
  expect([train.label(13), train.image(13).pixels[5]]).toEqual([1, 4]);
  const test = await loadCifar10({ dir, split: 'test', download: true }, source);
  expect([test.length, test.image(0).pixels[0]]).toEqual([4, 6]);
  expect(requests.length).toBe(1);
  expect(progress.at(-1)).toBe(archive.length);
  expect(readdirSync(dir)).toEqual([folder]);
});

test('a download that breaks off is resumed where it was', async () => {
  const { url, requests } = await serve(archive, 500);
  const { length } = await loadCifar10(
    { dir: newDirectory(), split: 'test', download: true },
    { url, md5, recordsPerFile: records },
  );
  expect(length).toBe(4);
  expect(requests).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
});

test('an archive with another MD5 is refused, and nothing is left', async () => {
  const { url } = await serve(Buffer.concat([archive, Buffer.from('x')]));
  const dir = newDirectory();
  const load = loadCifar10({ dir, split: 'test', download: true }, { url, md5, recordsPerFile: records });
  await expect(load).rejects.toHaveProperty('name', 'FormatError');
  expect(readdirSync(dir)).toEqual([]);
});

test('a mirror is used when CONVKIT_CIFAR10_URL names one, and must have the published MD5', async () => {
  const { url, requests } = await serve();
  process.env['CONVKIT_CIFAR10_URL'] = url;
  process.env['CONVKIT_DATA'] = newDirectory();
  onTestFinished(() => {
    delete process.env['CONVKIT_CIFAR10_URL'];
    delete process.env['CONVKIT_DATA'];
  });
  await expect(cifar10({ split: 'test' })).rejects.toThrow(/md5|MD5/);
  expect(requests.length).toBe(1);
  expect(existsSync(join(process.env['CONVKIT_DATA'], 'cifar10', folder))).toBe(false);
});

test('a given folder is not filled by a download unless asked', async () => {
  await expect(cifar10({ dir: newDirectory(), split: 'test' })).rejects.toThrow(
    /expected data_batch_1\.bin … test_batch\.bin in .* found none/,
  );
});

test('both the folder itself and the one around it are taken', async () => {
  const dir = filledFolder(['test_batch.bin']);
  for (const where of [dir, join(dir, folder)]) expect((await loadCifar10({ dir: where, split: 'test' }, local)).length).toBe(4);
});

test.each([
  [['data_batch_1.bin'], '4 of 20 training records: data_batch_2…5 are not there'],
  [
    ['data_batch_1.bin', 'data_batch_2.bin', 'data_batch_3.bin', 'data_batch_5.bin'],
    '16 of 20 training records: data_batch_4 is not there',
  ],
  [['data_batch_2.bin', 'data_batch_4.bin'], '8 of 20 training records: data_batch_1, data_batch_3, data_batch_5 are not there'],
])('with %o alone the notice says what is missing', async (files, notice) => {
  const train = await loadCifar10({ dir: filledFolder(files), split: 'train' }, local);
  expect([train.notice, train.length]).toEqual([notice, files.length * 4]);
});

test('a missing split is an error of its own', async () => {
  await expect(loadCifar10({ dir: filledFolder(['data_batch_1.bin']), split: 'test' }, local)).rejects.toThrow(
    'cifar10: test_batch.bin is in',
  );
  await expect(loadCifar10({ dir: filledFolder(['test_batch.bin']), split: 'train' }, local)).rejects.toThrow(
    'cifar10: none of data_batch_1…5.bin is in',
  );
});

test.each([3, 5, 3.7, 0])('a file of %d records rather than 4 is refused by name', async (count) => {
  const dir = filledFolder(['test_batch.bin']);
  const path = join(dir, folder, 'test_batch.bin');
  writeFileSync(path, new Uint8Array(Math.floor(count * cifarRecordBytes)));
  const load = loadCifar10({ dir, split: 'test' }, local);
  await expect(load).rejects.toThrow(`${path}: expected 4 records of 3073 bytes (12292), found`);
  await expect(load).rejects.toHaveProperty('name', 'FormatError');
});

test('a label above 9 is refused with file and record', async () => {
  const dir = filledFolder(['data_batch_1.bin', 'data_batch_2.bin']);
  const path = join(dir, folder, 'data_batch_2.bin');
  const bytes = new Uint8Array(records * cifarRecordBytes);
  bytes[2 * cifarRecordBytes] = 77;
  writeFileSync(path, bytes);
  await expect(loadCifar10({ dir, split: 'train' }, local)).rejects.toThrow(
    `${path}: expected labels of 0 … 9, found 77 in record 2`,
  );
});

test('the synthetic set is written as record files and read back with its class names', async () => {
  const dir = join(newDirectory(), 'shapes');
  await writeSyntheticRecords(dir, { train: 30, test: 10, seed: 2 });
  const train = await recordFolder(dir, { split: 'train', name: 'shapes' });
  expect([train.length, train.classes[9], train.name]).toEqual([30, 'hourglass', 'shapes train']);
  expect((await recordFolder(dir, { split: 'test' })).length).toBe(10);
  await expect(recordFolder(newDirectory(), { split: 'test' })).rejects.toThrow('found neither');
});

const real = new URL('../../../../../shared/data/cifar10/', import.meta.url);
test.runIf(existsSync(real))('the published records are read', async () => {
  const held = await cifar10({ dir: real.pathname, split: 'test' });
  const perClass = new Array<number>(10).fill(0);
  for (let i = 0; i < held.length; i++) perClass[held.label(i)]++;
  expect(perClass).toEqual(new Array(10).fill(1000));
  expect((await cifar10({ dir: real.pathname, split: 'train' })).notice).toBe(
    '10,000 of 50,000 training records: data_batch_2…5 are not there',
  );
});
