import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ConvkitError } from '@convkit/core';

const extensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif']);

/** The pictures that arguments name: files as they are, and everything that looks like a picture below a folder, by name. */
export function findImages(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path).isDirectory()) return [path];
    const found = readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => extensions.has(extname(name).toLowerCase()))
      .sort()
      .map((name) => join(path, name));
    if (found.length === 0) throw new ConvkitError(`${path}: no pictures there (${[...extensions].join(' ')})`);
    return found;
  });
}
