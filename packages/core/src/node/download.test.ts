/**
 * Downloads from a server that fails in every way. 60 fault schedules by default; the long form:
 * `CONVKIT_DOWNLOADS=500 npx vitest run --config ../../vitest.config.ts src/node/download`.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ArgumentError, ConvkitError, FormatError } from '../errors.js';
import { Random } from '../random.js';
import { bundle, start, temporaryDirectory } from './__fixtures__/child.js';
import { type Fault, answer, serve } from './__fixtures__/faulty-server.js';
import { type DownloadOptions, download } from './download.js';

const schedules = Number(process.env['CONVKIT_DOWNLOADS'] ?? 60);
const quick = { retryDelayMs: 1, stallTimeoutMs: 150 };
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

function noise(size: number, seed: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length: size }, () => random.uint32());
}

const content = noise(300_000, 1);

async function place(): Promise<{ directory: string; path: string }> {
  const directory = await temporaryDirectory();
  return { directory, path: join(directory, 'file.bin') };
}

/** A server that answers the n-th request with the n-th fault, and well after the last. */
function faulty(faults: readonly (Fault | undefined)[], options: { etag?: boolean } = {}) {
  let n = 0;
  return serve((request, response) => answer(request, response, { content, fault: faults[n++], ...options }));
}

test('a file is downloaded, with progress, and is then there without a request', async () => {
  const { directory, path } = await place();
  const { url, seen } = await faulty([]);
  const progress: number[] = [];
  const options: DownloadOptions = { onProgress: ({ received, total }) => progress.push(received, total ?? -1) };
  expect(await download(`${url}/f`, path, options)).toEqual({ path, size: content.length, downloaded: true });
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
  expect(progress.slice(-2)).toEqual([content.length, content.length]);
  expect(await readdir(directory)).toEqual(['file.bin']);
  expect(await download('http://127.0.0.1:9/offline', path, { sha256: sha256(content) })).toMatchObject({ downloaded: false });
  expect(seen.length).toBe(1);
});

test('a file that is there but is not the expected one is replaced', async () => {
  const { path } = await place();
  await writeFile(path, 'old');
  const { url } = await faulty([]);
  const md5 = createHash('md5').update(content).digest('hex').toUpperCase();
  expect(await download(`${url}/f`, path, { md5, size: content.length })).toMatchObject({ downloaded: true });
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
});

test.each<Fault>(['cut', 'stall'])('a transfer that is %s is resumed where it ended, under the same ETag', async (fault) => {
  const { path } = await place();
  const { url, seen } = await faulty([fault, fault]);
  await download(`${url}/f`, path, quick);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
  const starts = seen.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? 'bytes=0-')?.[1]));
  expect(starts.length).toBe(3);
  expect(0 < starts[1] && starts[1] <= 150_000 && starts[1] < starts[2], `${starts}`).toBe(true);
  expect(new Set(seen.slice(1).map(({ headers }) => headers['if-range'])).size).toBe(1);
});

test('a stall is noticed after a garbage collection too', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { path } = await place();
  const { url } = await faulty(['stall']);
  const timer = setInterval(collect, 20);
  try {
    await download(`${url}/f`, path, { ...quick, stallTimeoutMs: 400 });
  } finally {
    clearInterval(timer);
  }
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
}, 10_000);

test.each<Fault>(['wrong-range', 'ignore-range', 'no-range'])(
  'a server that answers a resumption with %s costs a new start',
  async (fault) => {
    const { path } = await place();
    const { url } = await faulty(['cut', fault]);
    await download(`${url}/f`, path, quick);
    expect(Buffer.compare(await readFile(path), content)).toBe(0);
  },
);

test('a resumption that sends less than its range says is not taken for the whole', async () => {
  const { path } = await place();
  let n = 0;
  const { url } = await serve((request, response) => {
    if (n++ !== 1) return answer(request, response, { content, fault: n === 1 ? 'cut' : undefined });
    const headers = { 'content-range': 'bytes 150000-299999/300000', 'content-length': '10' };
    response.writeHead(206, headers).end(content.subarray(150_000, 150_010));
  });
  await download(`${url}/f`, path, quick);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
});

test('without an ETag or a hash nothing is resumed: the file begins again', async () => {
  const { path } = await place();
  const { url, seen } = await faulty(['cut', 'cut'], { etag: false });
  await download(`${url}/f`, path, quick);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
  expect(seen.map(({ headers }) => headers.range)).toEqual([undefined, undefined, undefined]);
});

test('a file that changes on the server in the middle comes whole, in its new form', async () => {
  const { path } = await place();
  const next = noise(200_000, 2);
  let n = 0;
  const { url } = await serve((request, response) =>
    answer(request, response, n++ === 0 ? { content, fault: 'cut' } : { content: next }),
  );
  await download(`${url}/f`, path, quick);
  expect(Buffer.compare(await readFile(path), next)).toBe(0);
});

test.each<[Fault, DownloadOptions, RegExp]>([
  [
    'corrupt',
    { sha256: sha256(content) },
    /has the sha256 [0-9a-f]{64}, not [0-9a-f]{64}: it is not the expected one, and was deleted/,
  ],
  ['short', { size: content.length }, /has 150000 bytes, not 300000/],
  ['short', { sha256: sha256(content) }, /sha256/],
  ['long', { size: content.length }, /has 300004 bytes, not 300000/],
  ['page', { sha256: sha256(content) }, /sha256/],
])('content that is not the expected one (%s) is an error and leaves nothing', async (fault, options, message) => {
  const { directory, path } = await place();
  const { url } = await faulty([fault, fault, fault]);
  await expect(download(`${url}/f`, path, { ...quick, ...options })).rejects.toThrow(FormatError);
  await expect(download(`${url}/f`, path, { ...quick, ...options })).rejects.toThrow(message);
  expect(await readdir(directory)).toEqual([]);
});

test('what fails for good is told in one line without the query, and the part stays for the next time', async () => {
  const { directory, path } = await place();
  const { url } = await serve((request, response) => {
    if (request.url?.startsWith('/none')) response.writeHead(404).end();
    else if (request.url?.startsWith('/private')) response.writeHead(401).end();
    else answer(request, response, { content, fault: request.headers.range ? 'busy' : 'cut', at: 0.3 });
  });
  const failure = async (name: string) =>
    ((await download(`${url}/${name}?secret=1`, path, { ...quick, retries: 2 }).catch((e: unknown) => e)) as Error).message;
  expect(await failure('none')).toBe(`${url}/none answers with status 404. There is no such file.`);
  expect(await failure('private')).toBe(`${url}/private answers with status 401. It may need a token.`);
  expect(await readdir(directory)).toEqual([]);
  expect(await failure('f')).toBe(`${url}/f answers with status 503.`);
  expect((await readdir(directory)).map((name) => name.split('.').at(-1)).sort()).toEqual(['etag', 'part']);
  await expect(download('http://127.0.0.1:9/f', path, { ...quick, retries: 0 })).rejects.toThrow(ConvkitError);
  await expect(download('ftp://host/f', path)).rejects.toThrow(ArgumentError);
  await expect(download('https://me:pass@host/f', path)).rejects.toThrow(/pass them in `headers`/);
});

test('a later download, of another process too, goes on with the part of one that was killed', async () => {
  const { directory, path } = await place();
  const program = await bundle(new URL('./__fixtures__/download-child.ts', import.meta.url), directory);
  const { url, seen } = await faulty(['stall']);
  const child = start(program, [`${url}/f`, path, '']);
  while (!(await readdir(directory)).some((name) => name.endsWith('.part'))) await setTimeout(5);
  await setTimeout(100);
  child.process.kill('SIGKILL');
  await child.exited;
  await download(`${url}/f`, path, quick);
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
  expect(seen[1].headers.range).toMatch(/^bytes=[1-9]/);
  expect((await readdir(directory)).sort()).toEqual(['child.mjs', 'file.bin']);
});

test('abort stops at once, with the reason, and keeps the part', async () => {
  const { directory, path } = await place();
  const { url, seen } = await faulty(['stall']);
  const controller = new AbortController();
  const running = download(`${url}/f`, path, {
    signal: controller.signal,
    onProgress: () => controller.abort(new Error('enough')),
  });
  await expect(running).rejects.toThrow('enough');
  expect((await readdir(directory)).some((name) => name.endsWith('.part'))).toBe(true);
  await download(`${url}/f`, path, quick);
  expect(seen[1].headers.range).toMatch(/^bytes=[1-9]/);
});

test('headers go to the first host only, also when a redirect leads back to it', async () => {
  const { path } = await place();
  const other = await serve((_, response) => response.writeHead(307, { location: `${first.url}/file` }).end());
  const first: Awaited<ReturnType<typeof serve>> = await serve((request, response) => {
    if (request.url === '/here') response.writeHead(302, { location: '/there' }).end();
    else if (request.url === '/there') response.writeHead(302, { location: `${other.url}/x` }).end();
    else answer(request, response, { content });
  });
  await download(`${first.url}/here`, path, { headers: { authorization: 'Bearer secret', 'x-key': 'secret' } });
  expect(first.seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ['/here', 'Bearer secret'],
    ['/there', 'Bearer secret'],
    ['/file', undefined],
  ]);
  expect(JSON.stringify(other.seen)).not.toContain('secret');
});

test('a redirect to anything but http(s), and an endless one, are refused', async () => {
  const { path } = await place();
  const { url } = await serve((request, response) => {
    response.writeHead(302, { location: request.url === '/file' ? 'file:///etc/passwd' : '/loop' }).end();
  });
  await expect(download(`${url}/file`, path, quick)).rejects.toThrow(/redirects to file:\/\/, which is not safe/);
  await expect(download(`${url}/loop`, path, quick)).rejects.toThrow(/redirects more than 10 times/);
});

test('https is never left for http', async () => {
  const { path } = await place();
  const before = globalThis.fetch;
  const asked: string[] = [];
  globalThis.fetch = (input) => {
    asked.push(String(input));
    return Promise.resolve(new Response(null, { status: 302, headers: { location: 'http://plain.example/f' } }));
  };
  try {
    await expect(download('https://safe.example/f', path, quick)).rejects.toThrow(/redirects to http:\/\/, which is not safe/);
  } finally {
    globalThis.fetch = before;
  }
  expect(asked).toEqual(['https://safe.example/f']);
});

test('an empty file, and one of unknown length in chunks, are whole; one of unknown length without an end mark is refused', async () => {
  const { directory, path } = await place();
  const { url } = await serve((request, response) => {
    if (request.url === '/empty') response.writeHead(200, { 'content-length': '0' }).end();
    else if (request.url === '/chunks') response.write('ab', () => response.end('c'));
    else {
      response.useChunkedEncodingByDefault = false;
      response.writeHead(200, { connection: 'close' }).end('abc');
    }
  });
  expect((await download(`${url}/empty`, join(directory, 'empty'))).size).toBe(0);
  await download(`${url}/chunks`, path);
  expect(await readFile(path, 'utf8')).toBe('abc');
  await expect(download(`${url}/open`, join(directory, 'open'), quick)).rejects.toThrow(/does not say how long the file is/);
  expect((await download(`${url}/open`, join(directory, 'open'), { sha256: sha256(Buffer.from('abc')) })).size).toBe(3);
});

test('a directory in the place of the file is an error', async () => {
  const { path } = await place();
  await mkdir(path);
  await expect(download('http://127.0.0.1:9/f', path)).rejects.toThrow(/exists and is not a file/);
});

const FAULTS: readonly Fault[] = [
  'cut',
  'stall',
  'busy',
  'ignore-range',
  'wrong-range',
  'short',
  'long',
  'corrupt',
  'no-range',
  'compressed',
  'page',
];
/** Faults that nobody can see without knowing what to expect. */
const INVISIBLE: readonly Fault[] = ['short', 'long', 'corrupt', 'page'];

test(`in ${schedules} schedules of faults the final name never holds a wrong file`, async () => {
  const counts = { whole: 0, refused: 0, resumed: 0 };
  for (let n = 0; n < schedules; n++) {
    const random = new Random(n);
    const file = noise(random.int(200_000), n);
    const other = noise(random.int(200_000), n + 1e6);
    const known = random.int(2) === 0;
    const possible = known ? FAULTS : FAULTS.filter((fault) => !INVISIBLE.includes(fault));
    const faults = Array.from({ length: random.int(5) }, () => possible[random.int(possible.length)]);
    if (random.int(2)) faults.unshift('cut');
    const changesAt = random.int(4) === 0 ? random.int(5) : Infinity;
    const etag = random.int(3) > 0;
    let request = 0;
    const { url, seen } = await serve((req, res) => {
      const fault = faults[request];
      answer(req, res, { content: request++ >= changesAt ? other : file, fault, at: random.uniform(), etag });
    });
    const { directory, path } = await place();
    const options: DownloadOptions = {
      ...quick,
      ...(known && { sha256: sha256(file) }),
      ...(known && random.int(2) && { size: file.length }),
    };
    const parallel = n % 10 === 0 ? 16 : 1;
    const running = Promise.allSettled(Array.from({ length: parallel }, () => download(`${url}/f`, path, options)));
    const results = await Promise.race([running, setTimeout(60_000, undefined, { ref: false })]);
    if (!results) throw new Error(`schedule ${n} hangs: ${faults.join(', ')}`);
    const found = await readFile(path).catch(() => undefined);
    const context = `schedule ${n}: ${faults.join(', ')}; known ${known}, etag ${etag}, changes at ${changesAt}`;
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason, context).toBeInstanceOf(ConvkitError);
      else expect(found, context).toBeDefined();
    }
    if (found) expect(Buffer.compare(found, file) === 0 || (!known && Buffer.compare(found, other) === 0), context).toBe(true);
    if (results.every(({ status }) => status === 'fulfilled')) expect(await readdir(directory), context).toEqual(['file.bin']);
    if (faults.every((fault) => fault !== 'compressed' && !INVISIBLE.includes(fault)) && changesAt === Infinity) {
      expect(
        results.map(({ status }) => status),
        context,
      ).not.toContain('rejected');
    }
    counts[found ? 'whole' : 'refused']++;
    counts.resumed += seen.some(({ headers }) => headers.range !== undefined) ? 1 : 0;
  }
  if (process.env['CONVKIT_DOWNLOADS']) console.log(`${schedules} schedules: ${JSON.stringify(counts)}, 0 wrong`);
  expect(counts.whole).toBeGreaterThan(schedules / 2);
  expect(counts.resumed).toBeGreaterThan(schedules / 5);
}, 3_600_000);

test('eight processes at once, some of them killed, leave the whole file and nothing else', async () => {
  const { directory, path } = await place();
  const program = await bundle(new URL('./__fixtures__/download-child.ts', import.meta.url), directory);
  let n = 0;
  const faults: (Fault | undefined)[] = ['cut', undefined, 'busy', undefined, 'ignore-range'];
  const { url } = await serve((request, response) => answer(request, response, { content, fault: faults[n++ % 5], at: 0.7 }));
  const children = Array.from({ length: 8 }, (_, i) => start(program, [`${url}/f`, path, i % 2 ? sha256(content) : '']));
  for (const child of children.slice(0, 3)) {
    while (child.lines.length === 0 && child.process.exitCode === null) await setTimeout(5);
    child.process.kill('SIGKILL');
  }
  const codes = await Promise.all(children.map((child) => child.exited));
  expect(codes.slice(3)).toEqual(Array(5).fill({ code: 0, stderr: '' }));
  expect(Buffer.compare(await readFile(path), content)).toBe(0);
});
