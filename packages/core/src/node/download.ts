import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArgumentError, ConvkitError, FormatError } from '../errors.js';
import { PartFile } from './download-part.js';
import { type Expectation, TransferError, checkFile, fetchPart, shown } from './download-transfer.js';
import { errorCode, fileError, makeDirectory } from './files.js';

export interface DownloadOptions extends Expectation {
  /** Called after each piece; `total` is undefined while the server has not said how long the file is. */
  readonly onProgress?: (progress: { readonly received: number; readonly total: number | undefined }) => void;
  readonly signal?: AbortSignal;
  /** Sent to the host of `url` only, never to one it redirects to. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How often to go on after a failure that may pass (connection lost, stalled, busy server). Default 5. */
  readonly retries?: number;
  /** Pause before the first retry, doubled for each further one, at most 30 s. Default 500. */
  readonly retryDelayMs?: number;
  /** A transfer without a byte for this long is given up and resumed. Default 30,000. */
  readonly stallTimeoutMs?: number;
}

export interface DownloadResult {
  readonly path: string;
  readonly size: number;
  /** False when the file was there already and no request was made. */
  readonly downloaded: boolean;
}

/** This many bytes of progress make a failure count as the first one again. */
const PROGRESS_BYTES = 1 << 20;

/**
 * Downloads `url` to the file `destination`, which appears only when it is whole: its length is the one the server
 * announced, and size, sha256 and md5 are those given. A file that is there and fits costs no request.
 *
 * Bytes go into a part file beside it. A connection that breaks or stalls is resumed by Range and If-Range; a part that an
 * earlier process left is taken over. Every process writes a part file of its own, so several at once cannot mix.
 * https is never left for http, and `headers` never reach another origin.
 *
 * Throws ConvkitError when the server or the disk fails for good, FormatError when the content is not the expected one (the
 * part is deleted), ArgumentError for a URL that is not http(s), and the signal's reason when it aborts (the part is kept).
 */
export async function download(url: string, destination: string, options: DownloadOptions = {}): Promise<DownloadResult> {
  const source = parseUrl(url);
  const path = resolve(destination);
  const present = await existing(path, options);
  if (present !== undefined) return { path, size: present, downloaded: false };
  options.signal?.throwIfAborted();
  await makeDirectory(dirname(path));
  const part = await PartFile.claim(path, source, options);
  try {
    await transfer(source, part, options);
    const { size } = await stat(part.path);
    await part.commit();
    return { path, size, downloaded: true };
  } catch (error) {
    const keep = error instanceof TransferError || options.signal?.aborted === true;
    await (keep ? part.release() : part.discard()).catch(() => undefined); // the first failure is the one to tell
    if (error instanceof TransferError) throw new ConvkitError(error.message, { cause: error.cause });
    throw fileError(error, 'write', path);
  }
}

function parseUrl(url: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new ArgumentError(`download: ${JSON.stringify(url)} is not a URL.`);
  }
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')
    throw new ArgumentError(`download: ${shown(parsed)} is neither https nor http.`);
  if (parsed.username || parsed.password)
    throw new ArgumentError('download: the URL holds a name or password; pass them in `headers`.');
  return parsed;
}

/** The size of the file when it is there and is the expected one. */
async function existing(path: string, expected: Expectation): Promise<number | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new ConvkitError(`Cannot download to ${path}: it exists and is not a file.`);
    return (await checkFile(path, expected)) === undefined ? found.size : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read', path);
  }
}

/** Fills the part file and verifies it, going on after failures that may pass. */
async function transfer(source: URL, part: PartFile, options: DownloadOptions): Promise<void> {
  const { retries = 5, retryDelayMs = 500, signal } = options;
  for (let failures = 0; ;) {
    const before = part.size;
    try {
      await fetchPart(source, part, options);
      const problem = await checkFile(part.path, { ...options, size: options.size ?? part.size });
      if (problem === undefined) return;
      await part.restart();
      if (before === 0)
        throw new FormatError(`The file at ${shown(source)} ${problem}: it is not the expected one, and was deleted.`);
      throw new TransferError(`The resumed file from ${shown(source)} ${problem}.`);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TransferError) || !error.temporary) throw error;
      failures = part.size - before >= PROGRESS_BYTES ? 1 : failures + 1;
      if (failures > retries) throw error;
      await sleep(error.retryAfterMs ?? Math.min(30_000, retryDelayMs * 2 ** (failures - 1)), undefined, { signal }).catch(
        () => undefined,
      );
      signal?.throwIfAborted();
    }
  }
}
