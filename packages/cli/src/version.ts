import { readFileSync } from 'node:fs';

/** Version of the command line, from the manifest that lies beside `src` and `dist`. */
export const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
