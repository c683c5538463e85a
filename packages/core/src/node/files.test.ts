import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConvkitError, FormatError } from '../errors.js';
import { temporaryDirectory } from './__fixtures__/child.js';
import { faultyFileSystem } from './__fixtures__/faulty-fs.js';
import {
  commitDirectory,
  hashFile,
  isLeftover,
  readJson,
  sha256File,
  temporaryName,
  writeFileAtomic,
  writeSynced,
} from './files.js';

const exists = async (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

test('a file is written whole and replaced whole, in directories that need not exist', async () => {
  const path = join(await temporaryDirectory(), 'a', 'b', 'file.txt');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, new Uint8Array([116, 119, 111]));
  expect(await readFile(path, 'utf8')).toBe('two');
  expect(await readdir(join(path, '..'))).toEqual(['file.txt']);
});

test('a failure at any call leaves the old or the new file, whole, says why in one line, and leaves nothing behind', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'file.txt');
  const content = 'new '.repeat(1000);
  const healthy = faultyFileSystem();
  await writeFileAtomic(path, 'old', { fs: healthy });
  expect(healthy.calls.length).toBe(9);
  for (let at = 1; at <= healthy.calls.length; at++) {
    await writeFileAtomic(path, 'old');
    const fs = faultyFileSystem({ at, code: 'ENOSPC' });
    const error = await writeFileAtomic(path, content, { fs }).catch((reason: unknown) => reason);
    expect(error, fs.calls.at(-1)).toBeInstanceOf(ConvkitError);
    expect((error as Error).message).toMatch(/^Cannot write .*: no space left on the disk; free some and try again\. [^\n]*$/);
    const renamed = fs.calls.findIndex((call) => call.startsWith('rename')) + 1;
    expect(await readFile(path, 'utf8')).toBe(renamed > 0 && at > renamed ? content : 'old');
    expect(await readdir(directory)).toEqual(['file.txt']);
  }
});

test('a power cut after any call leaves the old or the new file, whole', async () => {
  const path = join(await temporaryDirectory(), 'file.txt');
  for (let at = 1; at <= 10; at++) {
    await writeFileAtomic(path, 'old');
    const fs = faultyFileSystem({ at, code: 'EIO', dead: true });
    await writeFileAtomic(path, 'new', { fs }).catch(() => undefined);
    await fs.losePower();
    expect(['old', 'new']).toContain(await readFile(path, 'utf8'));
  }
});

test('a rename is followed by a sync of its directory', async () => {
  const directory = await temporaryDirectory();
  for (const write of [
    (fs: ReturnType<typeof faultyFileSystem>) => writeFileAtomic(join(directory, 'file'), 'x', { fs }),
    (fs: ReturnType<typeof faultyFileSystem>) =>
      commitDirectory(join(directory, 'made'), (made) => writeSynced(join(made, 'x'), '1', fs), { fs }),
  ]) {
    const fs = faultyFileSystem();
    await write(fs);
    const renamed = fs.calls.findIndex((call) => call.startsWith('rename'));
    expect(fs.calls.slice(renamed + 1)).toEqual([`open r ${directory}`, `sync ${directory}`, `close ${directory}`]);
  }
});

test('a directory appears whole or not at all, whatever call fails', async () => {
  const parent = await temporaryDirectory();
  const path = join(parent, 'made');
  const fill =
    (fs = faultyFileSystem()) =>
    async (directory: string) => {
      await mkdir(join(directory, 'sub'));
      await writeFile(join(directory, 'sub', 'a'), 'A');
      await writeSynced(join(directory, 'b'), 'B', fs);
    };
  let committed = false;
  for (let at = 1; !committed; at++) {
    const fs = faultyFileSystem({ at, code: 'EIO' });
    committed = await commitDirectory(path, fill(fs), { fs }).then(
      () => true,
      () => false,
    );
    const whole = (await exists(join(path, 'sub', 'a'))) === 'A' && (await exists(join(path, 'b'))) === 'B';
    expect(await readdir(parent)).toEqual(whole ? ['made'] : []);
    if (whole && !committed) break; // only the sync after the rename failed
  }
  await expect(commitDirectory(path, fill())).rejects.toThrow(/Cannot write .*made: it exists already/);
  expect(await readdir(parent)).toEqual(['made']);
});

test('an error inside fill is the one that is thrown, and nothing is left', async () => {
  const parent = await temporaryDirectory();
  await expect(commitDirectory(join(parent, 'x'), () => Promise.reject(new FormatError('bad archive')))).rejects.toThrow(
    'bad archive',
  );
  expect(await readdir(parent)).toEqual([]);
});

test('only names that dead processes left are leftovers', () => {
  expect(isLeftover('/d', '.step-1.4194999-0a1b2c3d.tmp')).toBe(true);
  expect(isLeftover('/d', `.step-1.${process.ppid}-0a1b2c3d.tmp`)).toBe(false);
  expect(isLeftover('/d', temporaryName('/d/step-1').slice(3))).toBe(true); // of this process, but not being written
  for (const name of ['step-1', '.step-1.tmp', 'a.4194999-0a1b2c3d.tmp', '.x.4194999-0a1b2c3d.tmp.txt'])
    expect(isLeftover('/d', name)).toBe(false);
});

test('hashes are those of the standards', async () => {
  const path = join(await temporaryDirectory(), 'abc');
  await writeFile(path, 'abc');
  expect(await sha256File(path)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(await hashFile(path, 'md5')).toBe('900150983cd24fb0d6963f7d28e17f72');
  expect(await hashFile(path, 'sha1', 'blob 3\0')).toBe('f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f'); // git's id of the file
});

test('what cannot be read is named, with the reason, in one line', async () => {
  const directory = await temporaryDirectory();
  await expect(sha256File(join(directory, 'none'))).rejects.toThrow(/^Cannot read .*none: it does not exist\.$/);
  await expect(readJson(directory)).rejects.toThrow(/it is a directory, not a file/);
  await writeFile(join(directory, 'bad.json'), '{"a":\n');
  await expect(readJson(join(directory, 'bad.json'))).rejects.toThrow(FormatError);
  await expect(readJson(join(directory, 'bad.json'))).rejects.toThrow(/^.*bad.json is not valid JSON: [^\n]*$/);
  await writeFile(join(directory, 'good.json'), '{"a":1}');
  expect(await readJson(join(directory, 'good.json'))).toEqual({ a: 1 });
});
