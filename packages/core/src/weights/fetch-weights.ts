import { ConvkitError, FormatError } from '../errors.js';
import { decodeWeights } from './weights-file.js';
import { type FetchOptions, type FetchWeights, type HubLocation, locationText } from './weights-source.js';

export { imagenetClasses } from '../labels/imagenet.js';

/** The name of the browser's cache that downloads are kept in. */
export const CACHE_NAME = 'convkit-weights';

/**
 * Gets weights in a browser: through `fetch`, kept in the Cache API where the page may use it (a secure context). A path is
 * relative to the page. Throws ConvkitError when the server refuses, FormatError when the content is not the expected one.
 */
export const fetchWeights: FetchWeights = async (location, options) => {
  const url = 'path' in location ? location.path : 'url' in location ? location.url : hubUrl(location);
  const sha256 = 'sha256' in location ? location.sha256?.toLowerCase() : undefined;
  const { decode = decodeWeights } = options;
  const cache =
    typeof caches === 'undefined' || 'path' in location ? undefined : await caches.open(CACHE_NAME).catch(() => undefined);
  const kept = await cache?.match(url);
  if (kept) {
    const bytes = new Uint8Array(await kept.arrayBuffer());
    if (await hasHash(bytes, sha256)) return decode(bytes, locationText(location));
  }
  const bytes = await download(url, options);
  if (!(await hasHash(bytes, sha256)))
    throw new FormatError(`${url} does not have the sha256 ${sha256}: it is not the expected file.`);
  const file = decode(bytes, locationText(location));
  await cache?.put(url, new Response(bytes as Uint8Array<ArrayBuffer>)).catch(() => undefined); // a full disk: the weights are here all the same
  return file;
};

function hubUrl({ repo, file, revision = 'main' }: HubLocation): string {
  return `https://huggingface.co/${repo}/resolve/${encodeURIComponent(revision)}/${file.split('/').map(encodeURIComponent).join('/')}`;
}

async function download(url: string, { onProgress, signal }: FetchOptions): Promise<Uint8Array> {
  const response = await fetch(url, signal ? { signal } : {}).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new ConvkitError(`Cannot download ${url}: ${(error as Error).message}`, { cause: error });
  });
  if (!response.ok || !response.body)
    throw new ConvkitError(`Cannot download ${url}: the server answers with status ${response.status}.`);
  const announced = response.headers.get('content-encoding') ? null : response.headers.get('content-length');
  const total = announced === null ? undefined : Number(announced);
  const parts: Uint8Array[] = [];
  let received = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    onProgress?.({ received, total });
  }
  if (total !== undefined && received !== total) {
    throw new ConvkitError(`The download of ${url} ended after ${received} of ${total} bytes: try again.`);
  }
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Without a hash, and in pages that may not compute one, everything passes. */
async function hasHash(bytes: Uint8Array, sha256: string | undefined): Promise<boolean> {
  if (sha256 === undefined || globalThis.crypto?.subtle === undefined) return true;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .startsWith(sha256);
}
