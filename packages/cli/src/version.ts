import { readFileSync } from 'node:fs';

/** The folder of this package: the parent of `src` and of `dist`. */
export const packageRoot = new URL('../', import.meta.url);

/** Version of the command line, from the manifest. */
export const version = (JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string }).version;
