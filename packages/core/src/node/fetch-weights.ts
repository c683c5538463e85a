import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FormatError } from '../errors.js';
import type { FetchWeights, UrlLocation } from '../weights/weights-source.js';
import { download } from './download.js';
import { sha256File } from './files.js';
import { cacheDirectory, hubFile } from './hub.js';
import { loadWeights } from './weights-file.js';

export { imagenetClasses } from '../labels/imagenet.js';

/**
 * Gets weights in Node: a file of the Hub through its cache, a URL through a folder beside it, a path from the disk.
 * Throws what `hubFile`, `download` and `loadWeights` throw.
 */
export const fetchWeights: FetchWeights = async (location, options) => {
  const { decode } = options;
  if ('path' in location) return loadWeights(location.path, decode);
  if ('url' in location) return loadWeights(await urlFile(location, options), decode);
  return loadWeights(await hubFile({ ...location, ...options }), decode);
};

/** The local file of a URL: `<cache>/urls/<hash of the URL>/<its name>`. */
async function urlFile({ url, sha256 }: UrlLocation, options: Parameters<FetchWeights>[1]): Promise<string> {
  const folder = createHash('sha256').update(url).digest('hex').slice(0, 16);
  const name = basename(URL.canParse(url) ? new URL(url).pathname : '').replace(/[^\w.-]/g, '_') || 'weights';
  const path = join(cacheDirectory(), 'urls', folder, name);
  const expected = sha256?.toLowerCase();
  const whole = expected?.length === 64 ? { sha256: expected } : {};
  const { downloaded } = await download(url, path, { ...options, ...whole });
  if (downloaded && expected !== undefined) {
    const found = await sha256File(path);
    if (!found.startsWith(expected)) {
      await rm(path);
      throw new FormatError(
        `The sha256 of ${new URL(url).pathname} is ${found}, and does not begin with ${expected}: it was deleted.`,
      );
    }
  }
  return path;
}
