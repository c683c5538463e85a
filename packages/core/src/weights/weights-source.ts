import { ArgumentError } from '../errors.js';
import type { DecodeWeights, WeightsFile } from './weights-file.js';

/** A file of a model on the Hugging Face Hub. */
export interface HubLocation {
  /** `organisation/name` */
  readonly repo: string;
  /** The path inside the repository. */
  readonly file: string;
  /** A branch, tag or commit. Default 'main'. */
  readonly revision?: string;
  /** The content, in hexadecimal. */
  readonly sha256?: string;
}

/** A file anywhere on the web. */
export interface UrlLocation {
  readonly url: string;
  /** The content in hexadecimal, or its first eight digits and more where only those are published. */
  readonly sha256?: string;
}

/** Where weights are: on the Hub, at a URL, or (in Node) in a file. */
export type WeightsLocation = HubLocation | UrlLocation | { readonly path: string };

export interface FetchOptions {
  /** Called while a file is downloaded; `total` is undefined while the server has not said how long it is. */
  readonly onProgress?: (progress: { readonly received: number; readonly total: number | undefined }) => void;
  readonly signal?: AbortSignal;
  /** Reads the file. Default: `decodeWeights`. */
  readonly decode?: DecodeWeights | undefined;
}

/** Gets weights from where they are; Node keeps downloads in the Hub's cache, a browser in its own. */
export type FetchWeights = (location: WeightsLocation, options: FetchOptions) => Promise<WeightsFile>;

/**
 * Reads `hf:organisation/name/file` (`hf:organisation/name@revision/file`), an http(s) URL or a path.
 * Throws ArgumentError for an `hf:` that names no file.
 */
export function parseLocation(source: string): WeightsLocation {
  if (/^https?:\/\//i.test(source)) return { url: source };
  if (!source.startsWith('hf:')) return { path: source };
  const match = /^hf:(?:\/\/)?([^/@]+\/[^/@]+)(?:@([^/]+))?\/(.+)$/.exec(source);
  if (!match)
    throw new ArgumentError(`${JSON.stringify(source)} names no file on the Hub: write hf:organisation/name/file.safetensors.`);
  const [, repo, revision, file] = match;
  return { repo, file, ...(revision === undefined ? {} : { revision }) };
}

/** A location as people write it; of a URL without the query, which may hold a signature. */
export function locationText(location: WeightsLocation): string {
  if ('path' in location) return location.path;
  if ('url' in location) return location.url.replace(/[?#].*$/s, '');
  return `hf:${location.repo}${location.revision === undefined ? '' : `@${location.revision}`}/${location.file}`;
}
