import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, readdir, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ArgumentError, ConvkitError, FormatError } from '../errors.js';
import { temporaryDirectory } from './__fixtures__/child.js';
import { answer, serve } from './__fixtures__/faulty-server.js';
import { cacheDirectory, hubFile } from './hub.js';

const hash = (algorithm: string, content: Uint8Array | string, prefix = ''): string =>
  createHash(algorithm).update(prefix).update(content).digest('hex');

const weights = Buffer.from('weights'.repeat(10_000));
const config = Buffer.from('{"a":1}');
const COMMIT = '0123456789abcdef0123456789abcdef01234567';

afterEach(() => vi.unstubAllEnvs());

/** A hub with one model: weights.bin on another host, as large files are, and sub/config.json of its own. */
async function hub(changes: { weights?: Buffer; etag?: string; commit?: string; status?: number } = {}) {
  const storage = await serve((request, response) =>
    answer(request, response, { content: changes.weights ?? weights, etag: false }),
  );
  const server = await serve((request, response) => {
    const [, , , , revision, ...path] = (request.url ?? '').split('/');
    const common = { 'x-repo-commit': changes.commit ?? COMMIT };
    if (changes.status) response.writeHead(changes.status).end();
    else if (path.join('/') === 'weights.bin') {
      const etag = changes.etag ?? `"${hash('sha256', weights)}"`;
      response
        .writeHead(302, {
          ...common,
          'x-linked-etag': etag,
          'x-linked-size': String(weights.length),
          location: `${storage.url}/blob?signature=s`,
        })
        .end();
    } else if (path.join('/') === 'sub/config.json' && revision === COMMIT) {
      response.writeHead(307, { ...common, location: '/cache/config.json' }).end();
    } else if (path.join('/') === 'sub/config.json') {
      response.writeHead(307, { location: `/org/net/resolve/${COMMIT}/sub/config.json`, ...common }).end();
    } else if (request.url === '/cache/config.json') {
      response.writeHead(200, {
        etag: `W/"${hash('sha1', config, `blob ${config.length}\0`)}"`,
        'content-length': String(config.length),
      });
      response.end(request.method === 'HEAD' ? undefined : config);
    } else response.writeHead(404).end();
  });
  const home = await temporaryDirectory();
  vi.stubEnv('HF_ENDPOINT', `${server.url}/`);
  vi.stubEnv('HF_HOME', home);
  vi.stubEnv('HF_HUB_CACHE', '');
  vi.stubEnv('HF_TOKEN', 'hf_secret');
  vi.stubEnv('HF_HUB_OFFLINE', '');
  return { server, storage, root: join(home, 'hub', 'models--org--net') };
}

test('a file is put into the cache as the Hub lays it out, and the token goes to the Hub only', async () => {
  const { server, storage, root } = await hub();
  const path = await hubFile({ repo: 'org/net', file: 'weights.bin' });
  expect(path).toBe(join(root, 'snapshots', COMMIT, 'weights.bin'));
  expect(Buffer.compare(await readFile(path), weights)).toBe(0);
  expect(await readlink(path)).toBe(join('..', '..', 'blobs', hash('sha256', weights)));
  expect(await readFile(join(root, 'refs', 'main'), 'utf8')).toBe(COMMIT);
  expect(await readdir(join(root, 'blobs'))).toEqual([hash('sha256', weights)]);
  expect(server.seen.every(({ headers }) => headers.authorization === 'Bearer hf_secret')).toBe(true);
  expect(storage.seen.length).toBe(1);
  expect(JSON.stringify(storage.seen)).not.toContain('hf_secret');
});

test('a small file in a folder is named by its git id, which is verified', async () => {
  const { root } = await hub();
  const path = await hubFile({ repo: 'org/net', file: 'sub/config.json', revision: 'v1' });
  expect(await readFile(path, 'utf8')).toBe('{"a":1}');
  expect(await readlink(path)).toBe(join('..', '..', '..', 'blobs', hash('sha1', config, `blob ${config.length}\0`)));
  expect(await readFile(join(root, 'refs', 'v1'), 'utf8')).toBe(COMMIT);
});

test('a cached file costs one question, and none when its commit or its content is named', async () => {
  const { server, storage } = await hub();
  const path = await hubFile({ repo: 'org/net', file: 'weights.bin' });
  const before = server.seen.length;
  expect(await hubFile({ repo: 'org/net', file: 'weights.bin', revision: COMMIT })).toBe(path);
  expect(await hubFile({ repo: 'org/net', file: 'weights.bin', sha256: hash('sha256', weights) })).toBe(path);
  expect(server.seen.length).toBe(before);
  expect(await hubFile({ repo: 'org/net', file: 'weights.bin' })).toBe(path);
  expect(server.seen.length).toBe(before + 1);
  expect(storage.seen.length).toBe(1);
});

test('offline, the cache is used, and what is not in it is said in one line', async () => {
  const { server } = await hub();
  const path = await hubFile({ repo: 'org/net', file: 'weights.bin' });
  const before = server.seen.length;
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  expect(await hubFile({ repo: 'org/net', file: 'weights.bin' })).toBe(path);
  await expect(hubFile({ repo: 'org/net', file: 'other.bin' })).rejects.toThrow(
    /^org\/net\/other.bin \(main\) is not in the cache .*HF_HUB_OFFLINE/,
  );
  await expect(hubFile({ repo: 'org/net', file: 'weights.bin', sha256: '0'.repeat(64) })).rejects.toThrow(ConvkitError);
  expect(server.seen.length).toBe(before);
  vi.stubEnv('HF_HUB_OFFLINE', '');
  vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:9');
  expect(await hubFile({ repo: 'org/net', file: 'weights.bin' })).toBe(path);
  await expect(hubFile({ repo: 'org/net', file: 'other.bin' })).rejects.toThrow(
    /Cannot reach 127.0.0.1:9. Is this machine online\?/,
  );
});

test('content that is not what the Hub says, or not what was asked for, never gets a name', async () => {
  const { root } = await hub({ weights: Buffer.from(weights.map((byte, i) => (i === 5 ? byte ^ 1 : byte))) });
  await expect(hubFile({ repo: 'org/net', file: 'weights.bin' })).rejects.toThrow(FormatError);
  await expect(hubFile({ repo: 'org/net', file: 'weights.bin', sha256: '0'.repeat(64) })).rejects.toThrow(
    /has the sha256 [0-9a-f]{64} on the Hub, not 0{64}/,
  );
  expect(await readdir(root)).toEqual(['blobs']);
  expect(await readdir(join(root, 'blobs'))).toEqual([]);
});

test('a file that was cut in the cache is downloaded again', async () => {
  const { root } = await hub();
  await mkdir(join(root, 'blobs'), { recursive: true });
  await writeFile(join(root, 'blobs', hash('sha256', weights)), 'cut');
  expect(Buffer.compare(await readFile(await hubFile({ repo: 'org/net', file: 'weights.bin' })), weights)).toBe(0);
});

test.each([
  [401, /org\/net\/weights.bin \(main\) does not exist, or is private; set HF_TOKEN/],
  [403, /accept its terms on the Hub/],
  [404, /does not exist\.$/],
  [500, /answers with status 500/],
])('status %i is explained', async (status, message) => {
  await hub({ status });
  await expect(hubFile({ repo: 'org/net', file: 'weights.bin' })).rejects.toThrow(message);
});

test.each([{ commit: '../../../x' }, { commit: '' }, { etag: '"../../x"' }, { etag: '".."' }])(
  'a server that answers %j writes nothing',
  async (changes) => {
    const { root } = await hub(changes);
    await expect(hubFile({ repo: 'org/net', file: 'weights.bin' })).rejects.toThrow(
      /does not answer as the Hugging Face Hub does/,
    );
    await expect(lstat(root)).rejects.toThrow('ENOENT');
  },
);

test('names that lead out of the cache are refused before any request', async () => {
  const { server } = await hub();
  const good = { repo: 'org/net', file: 'a' };
  for (const repo of ['', '..', '../x', 'a/b/c', 'a b/c', '/x', 'a--b/c'])
    await expect(hubFile({ ...good, repo })).rejects.toThrow(ArgumentError);
  for (const file of ['', '/etc/passwd', '../a', 'a/../b', 'a//b', 'a\\b', './a', 'a\0'])
    await expect(hubFile({ ...good, file })).rejects.toThrow(ArgumentError);
  for (const revision of ['', '../main', 'refs/..', 'C:\\x'])
    await expect(hubFile({ ...good, revision })).rejects.toThrow(ArgumentError);
  expect(server.seen).toEqual([]);
});

test('the cache is where the environment says', () => {
  vi.stubEnv('HF_HUB_CACHE', '/c');
  expect(cacheDirectory()).toBe('/c');
  vi.stubEnv('HF_HUB_CACHE', '');
  vi.stubEnv('HF_HOME', '/h');
  expect(cacheDirectory()).toBe(join('/h', 'hub'));
  vi.stubEnv('HF_HOME', '');
  vi.stubEnv('XDG_CACHE_HOME', '/x');
  expect(cacheDirectory()).toBe(join('/x', 'huggingface', 'hub'));
});
