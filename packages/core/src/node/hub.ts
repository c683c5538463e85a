import { copyFile, mkdir, readFile, readlink, rename, stat, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { ArgumentError, ConvkitError } from '../errors.js';
import { type DownloadOptions, download } from './download.js';
import { TransferError, request, shown } from './download-transfer.js';
import { Watch } from './download-watch.js';
import { errorCode, fileError, sha256File, temporaryName, writeFileAtomic } from './files.js';

export interface HubFile {
  /** `organisation/name`, or the `name` of an old model without one. */
  readonly repo: string;
  /** The path inside the repository. */
  readonly file: string;
  /** A branch, tag or commit. Default 'main'. */
  readonly revision?: string;
  /** The content that is expected, in hexadecimal. A cached file that has it costs no request. */
  readonly sha256?: string;
  readonly onProgress?: DownloadOptions['onProgress'];
  readonly signal?: AbortSignal;
}

/**
 * The local path of a file of a model on the Hugging Face Hub, downloaded when it is not in the cache yet. The cache is
 * the Hub's own (`models--org--name/{blobs,refs,snapshots}`), shared with its other clients.
 *
 * Environment: HF_ENDPOINT (a mirror), HF_TOKEN, HF_HUB_CACHE or HF_HOME (where the cache is), HF_HUB_OFFLINE=1 (no
 * requests). The token goes to the endpoint only. What the Hub says of a file (size, sha256 or git id) is verified. When
 * the Hub cannot be reached, a cached file is used.
 *
 * Throws ArgumentError for names that cannot be, ConvkitError when the file cannot be had, FormatError when its
 * content is not the expected one.
 */
export async function hubFile(options: HubFile): Promise<string> {
  const { repo, file, revision = 'main' } = options;
  checkNames(repo, file, revision);
  const root = join(cacheDirectory(), `models--${repo.replaceAll('/', '--')}`);
  const cached = await inCache(root, revision, file);
  const sha256 = options.sha256?.toLowerCase();
  if (cached && (sha256 === undefined ? isCommit(revision) : (await sha256File(cached)) === sha256)) return cached;
  const where = `${repo}/${file} (${revision})`;
  if (isOffline()) {
    if (cached && sha256 === undefined) return cached;
    throw new ConvkitError(`${where} is not in the cache ${root}, and HF_HUB_OFFLINE is set: unset it to download.`);
  }
  let remote: RemoteFile;
  try {
    remote = await describe(repo, file, revision, options.signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (cached && sha256 === undefined && error instanceof TransferError && error.temporary) return cached;
    throw error instanceof TransferError ? new ConvkitError(error.message, { cause: error.cause }) : error;
  }
  return fetchInto(root, remote, options);
}

interface RemoteFile {
  readonly commit: string;
  /** sha256 of a large file, git's id of a small one. */
  readonly etag: string;
  readonly size: number | undefined;
}

/** Where the Hub's clients keep files. */
export function cacheDirectory(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env;
  return HF_HUB_CACHE || join(HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'), 'hub');
}

function endpoint(): string {
  return (process.env['HF_ENDPOINT'] || 'https://huggingface.co').replace(/\/+$/, '');
}

function authorization(): Record<string, string> {
  const token = process.env['HF_TOKEN']?.trim();
  return token ? { authorization: `Bearer ${token}` } : {};
}

function isOffline(): boolean {
  return ['1', 'true', 'yes', 'on'].includes((process.env['HF_HUB_OFFLINE'] ?? '').toLowerCase());
}

const isCommit = (revision: string): boolean => /^[0-9a-f]{40}$/.test(revision);

/** Nothing here may lead out of the cache. */
function checkNames(repo: string, file: string, revision: string): void {
  const safe = (path: string): boolean =>
    path.split('/').every((part) => /^[^\\:\0]+$/.test(part) && part !== '.' && part !== '..');
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(repo) || !safe(repo) || repo.includes('--')) {
    throw new ArgumentError(`hubFile: ${JSON.stringify(repo)} is not a repository; write organisation/name.`);
  }
  if (!safe(file)) throw new ArgumentError(`hubFile: ${JSON.stringify(file)} is not a path inside a repository.`);
  if (!safe(revision)) throw new ArgumentError(`hubFile: ${JSON.stringify(revision)} is not a branch, tag or commit.`);
}

function resolveUrl(repo: string, file: string, revision: string): URL {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return new URL(`${endpoint()}/${repo}/resolve/${encodeURIComponent(revision)}/${path}`);
}

/** Asks the Hub for the commit, id and size of a file. Redirects to storage are not followed: they carry no commit. */
async function describe(repo: string, file: string, revision: string, signal: AbortSignal | undefined): Promise<RemoteFile> {
  const url = resolveUrl(repo, file, revision);
  const watch = new Watch(30_000, signal);
  const headers: Record<string, string> = {};
  let response: Response;
  try {
    response = await watch.guard(
      request(
        url,
        {
          method: 'HEAD',
          headers: { 'accept-encoding': 'identity' },
          signal: watch.signal,
        },
        authorization(),
        (answer, next) => {
          for (const name of ['x-repo-commit', 'x-linked-etag', 'x-linked-size'])
            headers[name] ??= answer.headers.get(name) ?? '';
          return next.origin === url.origin && headers['x-linked-etag'] === '';
        },
      ),
    );
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ConvkitError) throw error;
    throw new TransferError(`Cannot reach ${url.host}. Is this machine online?`, { cause: error });
  } finally {
    watch.stop();
  }
  if (response.status >= 400) throw refusal(response, url, `${repo}/${file} (${revision})`);
  const value = (name: string): string => headers[name] || (response.headers.get(name) ?? '');
  const commit = value('x-repo-commit');
  const etag = (value('x-linked-etag') || (response.headers.get('etag') ?? '')).replace(/^W\//, '').replaceAll('"', '');
  if (!isCommit(commit) || !/^[\w.-]{1,128}$/.test(etag) || /^\.+$/.test(etag)) {
    throw new TransferError(
      `${shown(url)} does not answer as the Hugging Face Hub does (no commit or ETag). Is HF_ENDPOINT right?`,
      {
        temporary: false,
      },
    );
  }
  const size = value('x-linked-size') || (response.status === 200 ? (response.headers.get('content-length') ?? '') : '');
  return { commit, etag, size: /^\d+$/.test(size) ? Number(size) : undefined };
}

function refusal(response: Response, url: URL, where: string): TransferError {
  const reason: Record<number, string> = {
    401: 'does not exist, or is private; set HF_TOKEN if you have access',
    403: 'may not be read; accept its terms on the Hub, and set HF_TOKEN',
    404: 'does not exist',
  };
  const text = reason[response.status] ?? `cannot be had: ${url.host} answers with status ${response.status}`;
  return new TransferError(`${where} ${text}.`, { temporary: response.status >= 500 || response.status === 429 });
}

async function fetchInto(root: string, remote: RemoteFile, options: HubFile): Promise<string> {
  const { repo, file, revision = 'main', signal, onProgress } = options;
  const { commit, etag, size } = remote;
  const large = /^[0-9a-f]{64}$/.test(etag);
  const sha256 = options.sha256?.toLowerCase() ?? (large ? etag : undefined);
  if (large && sha256 !== etag)
    throw new ConvkitError(`${repo}/${file} (${revision}) has the sha256 ${etag} on the Hub, not ${sha256}.`);
  const gitBlob = /^[0-9a-f]{40}$/.test(etag) ? etag : undefined;
  const blob = join(root, 'blobs', etag);
  const url = resolveUrl(repo, file, commit).href;
  await download(url, blob, { sha256, gitBlob, size, headers: authorization(), signal, onProgress });
  const path = join(root, 'snapshots', commit, ...file.split('/'));
  try {
    await link(blob, path);
    if (!isCommit(revision)) await writeFileAtomic(join(root, 'refs', ...revision.split('/')), commit);
  } catch (error) {
    throw fileError(error, 'write', path);
  }
  return path;
}

/** Puts the blob into the snapshot: a relative link, or a copy where links are not allowed. */
async function link(blob: string, path: string): Promise<void> {
  const target = relative(dirname(path), blob);
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await mkdir(dirname(path), { recursive: true });
  const temporary = temporaryName(path);
  try {
    await symlink(target, temporary);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') throw error;
    await copyFile(blob, temporary);
  }
  await rename(temporary, path);
}

/** The file in the snapshot that a revision stood for when it was last asked for. */
async function inCache(root: string, revision: string, file: string): Promise<string | undefined> {
  const ref = join(root, 'refs', ...revision.split('/'));
  const commit = isCommit(revision) ? revision : (await readFile(ref, 'utf8').catch(() => '')).trim();
  if (!isCommit(commit)) return undefined;
  const path = join(root, 'snapshots', commit, ...file.split('/'));
  return (await stat(path).catch(() => undefined))?.isFile() ? path : undefined;
}
