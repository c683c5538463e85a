import { stat } from 'node:fs/promises';
import { ConvkitError, FormatError } from '../errors.js';
import type { PartFile } from './download-part.js';
import { Watch } from './download-watch.js';
import { errorCode, hashFile } from './files.js';

/** What is known of a file before it is downloaded; all that is given must hold. */
export interface Expectation {
  readonly sha256?: string;
  readonly md5?: string;
  /** The id that git gives the content: sha1 of `blob <size>\0` and the bytes. */
  readonly gitBlob?: string;
  readonly size?: number;
}

/** A transfer that failed for a reason of the network or the server. */
export class TransferError extends ConvkitError {
  readonly temporary: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { temporary?: boolean; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.temporary = options.temporary ?? true;
    this.retryAfterMs = options.retryAfterMs;
  }
}

interface TransferOptions extends Expectation {
  readonly onProgress?: (progress: { readonly received: number; readonly total: number | undefined }) => void;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  readonly stallTimeoutMs?: number;
}

/** A URL as it may be shown: the query can hold a signature. */
export const shown = (url: URL): string => url.origin + url.pathname;

/** What is wrong with a file; undefined when it is as expected. */
export async function checkFile(path: string, expected: Expectation): Promise<string | undefined> {
  const { size } = await stat(path);
  if (expected.size !== undefined && size !== expected.size) return `has ${size} bytes, not ${expected.size}`;
  for (const algorithm of ['sha256', 'md5'] as const) {
    const wanted = expected[algorithm]?.toLowerCase();
    const found = wanted === undefined ? undefined : await hashFile(path, algorithm);
    if (found !== wanted) return `has the ${algorithm} ${found}, not ${wanted}`;
  }
  if (expected.gitBlob !== undefined && (await hashFile(path, 'sha1', `blob ${size}\0`)) !== expected.gitBlob) {
    return `does not have the git id ${expected.gitBlob}`;
  }
  return undefined;
}

/**
 * Follows redirects by hand: never from https to http, and the caller's headers to no other origin. Where `follow` says no,
 * the redirect itself is the answer.
 */
export async function request(
  url: URL,
  init: RequestInit,
  headers: Readonly<Record<string, string>>,
  follow: (response: Response, next: URL) => boolean = () => true,
): Promise<Response> {
  let current = url;
  let trusted = true;
  for (let redirects = 0; redirects <= 10; redirects++) {
    trusted &&= current.origin === url.origin; // once away, a redirect back is another host's request
    const own = trusted ? headers : {};
    const response = await fetch(current, { ...init, headers: { ...own, ...init.headers }, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || response.status === 304 || location === null) return response;
    drop(response);
    const next = new URL(location, current);
    if (!follow(response, next)) return response;
    const downgraded = current.protocol === 'https:' && next.protocol !== 'https:';
    if (downgraded || !['https:', 'http:'].includes(next.protocol)) {
      throw new TransferError(`${shown(current)} redirects to ${next.protocol}//, which is not safe: refused.`, {
        temporary: false,
      });
    }
    current = next;
  }
  throw new TransferError(`${shown(url)} redirects more than 10 times.`, { temporary: false });
}

/** Closes a connection whose body nobody will read; there is nothing to wait for. */
function drop(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}

/** One attempt: asks for what the part lacks, and appends it. Returns when the server's whole file is there. */
export async function fetchPart(url: URL, part: PartFile, options: TransferOptions): Promise<void> {
  const hashed = options.sha256 ?? options.md5 ?? options.gitBlob;
  if (part.size > 0 && part.etag === undefined && hashed === undefined) await part.restart();
  if (options.size !== undefined && part.size > options.size) await part.restart();
  if (part.size > 0 && part.size === options.size) return;
  const watch = new Watch(options.stallTimeoutMs ?? 30_000, options.signal);
  try {
    const range: Record<string, string> = part.size > 0 ? { range: `bytes=${part.size}-` } : {};
    if (part.size > 0 && part.etag !== undefined) range['if-range'] = part.etag;
    const init = { signal: watch.signal, headers: { 'accept-encoding': 'identity', ...range } };
    const response = await watch.guard(request(url, init, options.headers ?? {}));
    watch.alive();
    try {
      await receive(url, response, part, options, watch);
    } finally {
      drop(response);
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof ConvkitError || isDiskError(error)) throw error;
    throw networkError(url, watch.stalled ? undefined : error);
  } finally {
    watch.stop();
  }
}

async function receive(url: URL, response: Response, part: PartFile, options: TransferOptions, watch: Watch): Promise<void> {
  const complete = /^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  if (response.status === 416 && part.size > 0) {
    if (Number(complete) === part.size) return;
    await part.restart();
    throw new TransferError(`${shown(url)} has changed since the download began.`);
  }
  if (response.status !== 200 && response.status !== 206) throw statusError(url, response);
  let total = declaredTotal(response);
  if (response.status === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
    const etag = response.headers.get('etag');
    const other = etag !== null && part.etag !== undefined && etag !== part.etag;
    if (other || Number(range?.[1]) !== part.size || Number(range?.[2]) + 1 !== Number(range?.[3])) {
      await part.restart();
      throw new TransferError(`${shown(url)} answered with another file or range than the one asked for.`);
    }
    total = Number(range?.[3]);
  } else {
    await part.restart();
    const etag = response.headers.get('etag');
    if (etag?.startsWith('"')) await part.setEtag(etag);
  }
  const certain = options.size ?? options.sha256 ?? options.md5 ?? options.gitBlob;
  if (total === undefined && certain === undefined && response.headers.get('transfer-encoding') !== 'chunked') {
    throw new TransferError(`${shown(url)} does not say how long the file is; pass its size or sha256.`, { temporary: false });
  }
  if (total !== undefined && options.size !== undefined && total !== options.size) {
    throw new FormatError(`The file at ${shown(url)} has ${total} bytes, not ${options.size}: it is not the expected one.`);
  }
  const limit = total ?? options.size ?? Infinity;
  await part.append(watch.pieces(response), () => {
    watch.alive();
    options.onProgress?.({ received: part.size, total: total ?? options.size });
    if (part.size > limit)
      throw new FormatError(`The file at ${shown(url)} is longer than its ${limit} bytes: it is not the expected one.`);
  });
  if (total !== undefined && part.size < total)
    throw new TransferError(`The connection to ${url.host} ended at byte ${part.size} of ${total}.`);
}

/** The length of the whole file, unless it was compressed on the way. */
function declaredTotal(response: Response): number | undefined {
  const encoding = response.headers.get('content-encoding') ?? 'identity';
  const length = response.headers.get('content-length');
  return encoding === 'identity' && length !== null ? Number(length) : undefined;
}

const DISK_ERRORS = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'EACCES',
  'EPERM',
  'ENOENT',
  'EFBIG',
  'EMFILE',
  'ENFILE',
  'EISDIR',
  'ENOTDIR',
]);

function isDiskError(error: unknown): boolean {
  return DISK_ERRORS.has(errorCode(error) ?? '') && error instanceof Error && 'syscall' in error;
}

/** undici hides the reason in `cause`; `undefined` stands for a stall. */
function networkError(url: URL, error: unknown): TransferError {
  if (error === undefined) return new TransferError(`The connection to ${url.host} stalled.`);
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = errorCode(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  const unknownHost = code === 'ENOTFOUND';
  const hint = unknownHost || code === 'ECONNREFUSED' || code === 'EAI_AGAIN' ? ' Is this machine online?' : '';
  return new TransferError(`Cannot download from ${url.host}: ${code.replaceAll('\n', ' ')}.${hint}`, {
    temporary: !unknownHost,
    cause,
  });
}

function statusError(url: URL, response: Response): TransferError {
  const { status } = response;
  const hint = status === 401 || status === 403 ? ' It may need a token.' : status === 404 ? ' There is no such file.' : '';
  const temporary = status >= 500 || status === 408 || status === 429;
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  const retryAfterMs = Number.isFinite(seconds) ? Math.min(60, Math.max(0, seconds)) * 1000 : undefined;
  return new TransferError(`${shown(url)} answers with status ${status}.${hint}`, { temporary, retryAfterMs });
}
