import type * as Fs from 'node:fs';
import type * as Path from 'node:path';

/** Node's own modules, looked up at run time so that bundlers for browsers see no trace of them; undefined in a browser. */
export interface Host {
  readonly fs: typeof Fs;
  readonly path: typeof Path;
  readonly platform: string;
  /** Loads the CommonJS package that `resolve` found. */
  require(file: string): unknown;
  /** Where a package's file (`name/package.json`) is, seen from this package and then from the working directory. */
  resolve(request: string): string | undefined;
  /** Imports an ES module by its file. */
  importFile(file: string): Promise<unknown>;
}

/** Undefined in browsers. */
export const host: Host | undefined = createHost();

function createHost(): Host | undefined {
  if (typeof process === 'undefined' || typeof process.versions?.node !== 'string') return undefined;
  const { createRequire } = process.getBuiltinModule('node:module');
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  const fs = process.getBuiltinModule('node:fs');
  const path = process.getBuiltinModule('node:path');
  const roots = [import.meta.url, pathToFileURL(path.join(process.cwd(), 'package.json')).href];
  const requires = roots.map((root) => createRequire(root));
  return {
    fs,
    path,
    platform: process.platform,
    require: requires[0] as (file: string) => unknown,
    resolve: (request) => {
      for (const require of requires) {
        try {
          return require.resolve(request);
        } catch {
          // Not visible from there: try the next.
        }
      }
      return undefined;
    },
    importFile: (file) => import(/* @vite-ignore */ /* webpackIgnore: true */ pathToFileURL(file).href) as Promise<unknown>,
  };
}
