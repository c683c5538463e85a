import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { Random } from '@convkit/core';
import { bundle, start } from '../../../core/src/node/__fixtures__/child.js';
import { zip } from './__fixtures__/zip.js';
import type { ZipContent } from './__fixtures__/zip.js';
import { extractZipFolder } from './coco-zip.js';

const root = mkdtempSync(join(tmpdir(), 'convkit-zip-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const archive = join(root, 'val2017.zip');
const target = join(root, 'out', 'val2017');
const kind = { folder: 'val2017', extension: '.jpg' };
async function extractFrom(bytes: Uint8Array): Promise<void> {
  writeFileSync(archive, bytes);
  await extractZipFolder(archive, target, kind);
}
const photo = (n: number, length = 3000): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * n) % 251);
const good: ZipContent[] = [
  { name: 'val2017/', mode: 0o40755 },
  { name: 'val2017/000000000001.jpg', content: photo(1), mode: 0o100644 },
  { name: 'val2017/000000000002.jpg', content: photo(2), deflate: true },
  { name: 'val2017/000000000003.jpg', content: new Uint8Array(0) },
];

test('stored and deflated files are unpacked with their bytes, and progress is told', async () => {
  writeFileSync(archive, zip(good));
  const progress: { received: number; total: number }[] = [];
  await extractZipFolder(archive, target, { ...kind, onProgress: (now) => progress.push(now) });
  expect(readdirSync(target)).toEqual(['000000000001.jpg', '000000000002.jpg', '000000000003.jpg']);
  expect(new Uint8Array(readFileSync(join(target, '000000000002.jpg')))).toEqual(photo(2));
  expect(progress.at(-1)).toEqual({ received: 6000, total: 6000 });
  expect(readdirSync(join(root, 'out'))).toEqual(['val2017']);
  rmSync(join(root, 'out'), { recursive: true });
});

const paths = [
  '../evil.jpg',
  'val2017/../evil.jpg',
  'val2017/../../evil.jpg',
  '/evil.jpg',
  '/tmp/convkit-evil.jpg',
  'C:\\evil.jpg',
  'C:/evil.jpg',
  'val2017\\evil.jpg',
  'val2017/sub/evil.jpg',
  'val2017/./evil.jpg',
  'val2017//evil.jpg',
  'val2017/.evil.jpg',
  'val2017/..jpg',
  'val2017/evil.jpg/',
  'val2017/evil.sh',
  'val2017/evil.jpg\n',
  'val2017/é.jpg',
  'evil.jpg',
  'train2017/000000000001.jpg',
  'other/',
  '',
  'val2017/..',
];
const also = (file: ZipContent): Buffer => zip([...good, file]);
const name = 'val2017/000000000009.jpg';
const hostile: [string, () => Buffer][] = [
  ...paths.map((path): [string, () => Buffer] => [
    `the path ${JSON.stringify(path)}`,
    () => also({ name: path, content: photo(3) }),
  ]),
  ['a symbolic link', () => also({ name, content: Buffer.from('/etc/passwd'), mode: 0o120777 })],
  ['a device', () => also({ name, mode: 0o020644 })],
  ['a link in the place of the folder', () => zip([{ name: 'val2017/', mode: 0o120777 }, ...good.slice(1)])],
  ['a second copy of a file', () => also(good[1])],
  ['an encrypted file', () => also({ name, content: photo(1), flags: 1 })],
  ['a method of compression that nobody has', () => also({ name, content: photo(1), method: 99 })],
  ['a wrong checksum', () => also({ name, content: photo(1), crc: 7 })],
  ['a wrong checksum of deflated content', () => also({ name, content: photo(1), deflate: true, crc: 7 })],
  ['more content than is claimed', () => also({ name, content: photo(1), deflate: true, size: 10 })],
  ['less content than is claimed', () => also({ name, content: photo(1), deflate: true, size: 10_000 })],
  ['a stored file of another size', () => also({ name, content: photo(1), size: 10 })],
  ['deflated content that is none', () => also({ name, content: photo(1), method: 8, packed: photo(7) })],
  ['200 MB of zeros', () => also({ name, content: Buffer.alloc(200 << 20), deflate: true })],
  ['claimed 4 GB', () => also({ name, content: photo(1), deflate: true, size: 0xffffff00 })],
  ['no file', () => zip(good.slice(0, 1))],
  ['nothing', () => zip([])],
  ['an end that is cut off', () => zip(good).subarray(0, -30)],
  ['a begin that is cut off', () => zip(good).subarray(100)],
  ['a middle that is cut out', () => ((bytes) => Buffer.concat([bytes.subarray(0, 500), bytes.subarray(900)]))(zip(good))],
  ['an empty file', () => Buffer.alloc(0)],
  ['text', () => Buffer.from('<html>404 Not Found</html>')],
];

test.each(hostile)('refused whole: %s', async (_, make) => {
  const error: Error = await extractFrom(make()).then(
    () => new Error('accepted'),
    (reason: Error) => reason,
  );
  expect([error.name, error.message]).toEqual(['FormatError', expect.stringContaining(archive)]);
  expect(error.message).not.toContain('\n');
  expect(readdirSync(root).filter((entry) => entry !== 'out')).toEqual(['val2017.zip']);
  expect(readdirSync(root).includes('out') ? readdirSync(join(root, 'out')) : []).toEqual([]);
});

test('an abort leaves nothing', async () => {
  writeFileSync(archive, zip(good));
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  const extraction = extractZipFolder(archive, join(root, 'aborted', 'val2017'), {
    ...kind,
    onProgress,
    signal: controller.signal,
  });
  await expect(extraction).rejects.toMatchObject({ name: 'AbortError' });
  expect(readdirSync(join(root, 'aborted'))).toEqual([]);
});

test('a kill while it unpacks never leaves a folder that is taken for done', async () => {
  const home = mkdtempSync(join(root, 'kill-'));
  const program = await bundle(new URL('./__fixtures__/extract-zip-child.ts', import.meta.url), home);
  const many = 300;
  writeFileSync(
    join(home, 'a.zip'),
    zip(Array.from({ length: many }, (_, n) => ({ name: `val2017/${n}.jpg`, content: photo(n + 1, 50_000) }))),
  );
  const random = new Random(11);
  let unfinished = 0;
  for (let kill = 0; kill < Number(process.env['CONVKIT_KILLS'] ?? 6); kill++) {
    const out = join(home, `out-${kill}`);
    const child = start(program, [join(home, 'a.zip'), join(out, 'val2017')]);
    while (child.lines.length === 0 && child.process.exitCode === null) await setTimeout(1);
    await setTimeout(random.uniform(0, 150));
    child.process.kill('SIGKILL');
    expect((await child.exited).stderr).toBe('');
    const names = existsSync(out) ? readdirSync(out) : [];
    if (names.includes('val2017')) expect(readdirSync(join(out, 'val2017')).length).toBe(many);
    else unfinished++;
    rmSync(out, { recursive: true, force: true });
  }
  expect(unfinished).toBeGreaterThan(0);
});
