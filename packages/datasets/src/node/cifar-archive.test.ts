import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { Random } from '@convkit/core';
import { bundle, start } from '../../../core/src/node/__fixtures__/child.js';
import { cifarRecordBytes } from '../records.js';
import { cifarEntries, folder, pax, tar, tarGz } from './__fixtures__/tar.js';
import type { TarEntry } from './__fixtures__/tar.js';
import { extractCifar10 } from './cifar-archive.js';

const records = 3;
const root = mkdtempSync(join(tmpdir(), 'convkit-tar-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const archive = join(root, 'archive.tar.gz');
const target = join(root, 'out', folder);

async function extractFrom(bytes: Uint8Array): Promise<void> {
  writeFileSync(archive, bytes);
  await extractCifar10(archive, target, records);
}

test('the eight files are unpacked with their bytes', async () => {
  await extractFrom(tarGz(cifarEntries(records)));
  expect(readdirSync(target).sort()).toEqual([
    'batches.meta.txt',
    ...[1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
    'readme.html',
    'test_batch.bin',
  ]);
  expect(readFileSync(join(target, 'data_batch_4.bin')).at(-1)).toBe(4);
  expect(readdirSync(join(root, 'out'))).toEqual([folder]);
  rmSync(join(root, 'out'), { recursive: true });
});

const good = cifarEntries(records);
/** Of the right size for a batch, so that the path alone is what is wrong. */
const evil = Buffer.alloc(records * cifarRecordBytes, 1);
const withEntry = (entry: TarEntry | TarEntry[], at = 3): TarEntry[] => good.toSpliced(at, 0, ...[entry].flat());
const changed = (name: string, change: Partial<TarEntry>): TarEntry[] =>
  good.map((entry) => (entry.name === `${folder}/${name}` ? { ...entry, ...change } : entry));
const batch = `${folder}/data_batch_2.bin`;

const paths = [
  '../evil',
  '../../evil',
  `${folder}/../evil`,
  `${folder}/../../evil`,
  `${folder}/./data_batch_1.bin`,
  `./${batch}`,
  `${folder}//data_batch_1.bin`,
  '/evil',
  '/tmp/convkit-evil',
  `/${batch}`,
  '//evil',
  'C:\\evil',
  `${folder}\\data_batch_1.bin`,
  '..\\..\\evil',
  '~/.bashrc',
  '.',
  '..',
  '/',
  '',
  `${folder}/..`,
  `${folder}/sub/data_batch_1.bin`,
  `${folder}/data_batch_6.bin`,
  `${folder}/data_batch_1.bin/x`,
  `${folder}/DATA_BATCH_1.BIN`,
  `${folder}/data_batch_1.bin `,
  `${folder}/package.json`,
  'data_batch_1.bin',
  'other/data_batch_1.bin',
  `${folder}/__proto__`,
  `${folder}/data_batch_1.bin\n`,
];
const types: [string, string][] = [
  ['1', 'a hard link'],
  ['2', 'a symbolic link'],
  ['3', 'a character device'],
  ['4', 'a block device'],
  ['6', 'a pipe'],
  ['7', 'a contiguous file'],
  ['S', 'a sparse file'],
  ['V', 'a volume label'],
  ['M', 'a continued file'],
  ['D', 'a dump directory'],
  ['Z', 'an unknown type'],
];
const hostile: [string, () => Buffer][] = [
  ...paths.map((name): [string, () => Buffer] => [
    `the path ${JSON.stringify(name)}`,
    () => tarGz(withEntry({ name, content: evil })),
  ]),
  ...types.map(([type, what]): [string, () => Buffer] => [
    `${what} with a known name`,
    () => tarGz(changed('data_batch_2.bin', { type, link: '/etc/passwd' })),
  ]),
  ['a symbolic link in the place of the folder', () => tarGz([{ name: folder, type: '2', link: '/tmp' }, ...good.slice(1)])],
  [
    'a link out of the folder and then a file through it',
    () =>
      tarGz(
        withEntry([
          { name: `${folder}/a`, type: '2', link: '..' },
          { name: `${folder}/a/evil`, content: evil },
        ]),
      ),
  ],
  ['a second copy of a file', () => tarGz(withEntry(good[1], 6))],
  ['a second copy of the folder', () => tarGz(withEntry(good[0], 6))],
  ['a directory of another name', () => tarGz(withEntry({ name: 'evil/', type: '5' }))],
  ['a directory in the place of a file', () => tarGz(changed('data_batch_2.bin', { type: '5', content: new Uint8Array(0) }))],
  [
    'a path changed by a pax header',
    () => tarGz(withEntry([pax({ path: '../evil' }), { name: `${folder}/readme.html`, content: evil }])),
  ],
  ['a size changed by a pax header', () => tarGz([good[0], pax({ size: '99999999999' }), ...good.slice(1)])],
  ['a link made by a pax header', () => tarGz(withEntry([pax({ linkpath: '/etc' }), { name: `${folder}/l`, type: '2' }]))],
  [
    'a path given by a long-name entry',
    () =>
      tarGz(
        withEntry([
          { name: '././@LongLink', type: 'L', content: Buffer.from('../evil\0') },
          { name: 'x', content: evil },
        ]),
      ),
  ],
  ['a path that begins in the prefix', () => tarGz(withEntry({ name: 'evil', prefix: '../..', content: evil }))],
  [
    'a file with a record too many',
    () => tarGz(changed('test_batch.bin', { content: Buffer.alloc((records + 1) * cifarRecordBytes) })),
  ],
  [
    'a file with a byte too few',
    () => tarGz(changed('test_batch.bin', { content: Buffer.alloc(records * cifarRecordBytes - 1) })),
  ],
  ['an empty file', () => tarGz(changed('test_batch.bin', { content: new Uint8Array(0) }))],
  ['a text of 1 MB', () => tarGz(changed('batches.meta.txt', { content: Buffer.alloc(1 << 20, 65) }))],
  [
    'a size of 8 GB with no content',
    () => tarGz(changed('data_batch_1.bin', { content: new Uint8Array(0), size: 0o77777777777 })),
  ],
  ['a wrong header checksum', () => tarGz(changed('data_batch_3.bin', { badChecksum: true }))],
  ['a missing batch', () => tarGz(good.filter(({ name }) => name !== batch))],
  ['no class names', () => tarGz(good.filter(({ name }) => !name.endsWith('.txt')))],
  ['no entries', () => tarGz([])],
  ['400 MB of zeros behind the end', () => gzipSync(tar(good, 400 << 20), { level: 1 })],
  ['a pax header of 200 MB', () => tarGz([{ name: 'PaxHeader', type: 'x', content: Buffer.alloc(200 << 20, 65) }, ...good])],
  ['a header cut short', () => gzipSync(tar(good).subarray(0, 700))],
  ['a file cut short', () => gzipSync(tar(good).subarray(0, 12_000))],
  ['compressed data cut short', () => tarGz(good).subarray(0, 200)],
  ['no compression', () => tar(good)],
  ['an empty archive file', () => Buffer.alloc(0)],
  ['text', () => Buffer.from('<html>404 Not Found</html>')],
  ['a wrong checksum of the compressed data', () => ((bytes) => bytes.fill(7, bytes.length - 8, bytes.length - 4))(tarGz(good))],
];

test(`the hostile archives are ${hostile.length}`, () => expect(hostile.length).toBeGreaterThanOrEqual(60));

test.each(hostile)('refused whole: %s', async (_, make) => {
  const bytes = make();
  const before = process.memoryUsage().rss;
  const error: Error = await extractFrom(bytes).then(
    () => new Error('accepted'),
    (reason: Error) => reason,
  );
  expect([error.name, error.message]).toEqual(['FormatError', expect.stringContaining(archive)]);
  expect(error.message).not.toContain('\n');
  expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
  expect(readdirSync(root).sort()).toEqual(['archive.tar.gz', 'out']);
  expect(readdirSync(join(root, 'out'))).toEqual([]);
});

test('a kill while it unpacks never leaves a folder that is taken for done', async () => {
  const home = mkdtempSync(join(root, 'kill-'));
  const program = await bundle(new URL('./__fixtures__/extract-child.ts', import.meta.url), home);
  const many = 2000;
  writeFileSync(join(home, 'a.tar.gz'), tarGz(cifarEntries(many)));
  const random = new Random(11);
  let unfinished = 0;
  for (let kill = 0; kill < Number(process.env['CONVKIT_KILLS'] ?? 8); kill++) {
    const out = join(home, `out-${kill}`);
    const child = start(program, [join(home, 'a.tar.gz'), join(out, folder), String(many)]);
    while (child.lines.length === 0 && child.process.exitCode === null) await setTimeout(1);
    await setTimeout(random.uniform(0, 120));
    child.process.kill('SIGKILL');
    expect((await child.exited).stderr).toBe('');
    const names = (() => {
      try {
        return readdirSync(out);
      } catch {
        return [];
      }
    })();
    unfinished += names.includes(folder) ? 0 : 1;
    if (names.includes(folder)) {
      const sizes = [1, 2, 3, 4, 5].map((n) => readFileSync(join(out, folder, `data_batch_${n}.bin`)).length);
      expect(sizes).toEqual(new Array(5).fill(many * cifarRecordBytes));
    }
    rmSync(out, { recursive: true, force: true });
  }
  expect(unfinished).toBeGreaterThan(0);
});
