import { createHash } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { ConvkitError, FormatError } from '../errors.js';
import { answer, serve } from '../node/__fixtures__/faulty-server.js';
import { CACHE_NAME, fetchWeights } from './fetch-weights.js';
import { floatTensor } from './host-tensor.js';
import { encodeSafetensors } from './safetensors.js';

const file = encodeSafetensors(new Map([['w', floatTensor(Float32Array.of(1, 2, 3))]]));
const sha256 = createHash('sha256').update(file).digest('hex');

afterEach(() => vi.unstubAllGlobals());

/** The Cache API, as far as it is used. */
function stubCaches() {
  const kept = new Map<string, Response>();
  const cache = {
    match: (url: string) => Promise.resolve(kept.get(url)?.clone()),
    put: (url: string, response: Response) => Promise.resolve(void kept.set(url, response)),
  };
  const open = vi.fn(() => Promise.resolve(cache));
  vi.stubGlobal('caches', { open });
  return { kept, open };
}

test('weights are fetched once, checked, and then come from the browser’s cache', async () => {
  const { open } = stubCaches();
  const { url, seen } = await serve((request, response) => answer(request, response, { content: file }));
  const location = { url: `${url}/w.safetensors`, sha256: sha256.slice(0, 8) };
  const progress: number[] = [];
  const first = await fetchWeights(location, { onProgress: ({ received, total }) => progress.push(received, total ?? -1) });
  const second = await fetchWeights(location, {});
  expect(first.tensors.get('w')?.data).toEqual(Float32Array.of(1, 2, 3));
  expect(second).toEqual(first);
  expect(seen).toHaveLength(1);
  expect(progress.slice(-2)).toEqual([file.length, file.length]);
  expect(open).toHaveBeenCalledWith(CACHE_NAME);
});

test('a cached file that is not the expected one is fetched again', async () => {
  const { kept } = stubCaches();
  const { url } = await serve((request, response) => answer(request, response, { content: file }));
  kept.set(`${url}/w`, new Response('something else'));
  expect((await fetchWeights({ url: `${url}/w`, sha256 }, {})).tensors.size).toBe(1);
});

test('a page without the Cache API, and one whose cache is full, still gets the weights', async () => {
  const { url } = await serve((request, response) => answer(request, response, { content: file }));
  expect((await fetchWeights({ url: `${url}/w` }, {})).tensors.size).toBe(1);
  const put = () => Promise.reject(new Error('QuotaExceededError'));
  vi.stubGlobal('caches', { open: () => Promise.resolve({ match: () => Promise.resolve(undefined), put }) });
  expect((await fetchWeights({ url: `${url}/w` }, {})).tensors.size).toBe(1);
});

test('a file of the Hub is asked for at its address', async () => {
  const fetched = vi.fn((_: string) => Promise.resolve(new Response(new Uint8Array(file))));
  vi.stubGlobal('fetch', fetched);
  await fetchWeights({ repo: 'org/net', file: 'a b/w.safetensors', revision: 'refs/pr/1' }, {});
  expect(fetched.mock.calls[0][0]).toBe('https://huggingface.co/org/net/resolve/refs%2Fpr%2F1/a%20b/w.safetensors');
});

test('a wrong hash, a refusal, an unreachable server and an error page are told in one line, and nothing is kept', async () => {
  const { kept } = stubCaches();
  const { url } = await serve((request, response) => {
    if (request.url === '/404') response.writeHead(404).end();
    else if (request.url === '/page') response.writeHead(200).end('<html>');
    else answer(request, response, { content: file });
  });
  await expect(fetchWeights({ url: `${url}/w`, sha256: '00000000' }, {})).rejects.toThrow(/does not have the sha256 00000000/);
  await expect(fetchWeights({ url: `${url}/404` }, {})).rejects.toThrow(/answers with status 404/);
  await expect(fetchWeights({ url: `${url}/page` }, {})).rejects.toThrow(FormatError);
  await expect(fetchWeights({ url: 'http://127.0.0.1:1/w' }, {})).rejects.toThrow(ConvkitError);
  expect(kept.size).toBe(0);
});
