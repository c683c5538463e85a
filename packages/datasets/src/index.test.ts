import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** All that a source file imports at run time, and what these import. */
function importsOf(file: URL, seen = new Set<string>()): Set<string> {
  const source = readFileSync(file, 'utf8');
  for (const [, what, name] of source.matchAll(/^(?:import|export)\s([^;]*?)from '([^']+)';/gms)) {
    if (what.startsWith('type ') || seen.has(name)) continue;
    seen.add(name);
    if (!name.startsWith('.')) continue;
    const next = new URL(name.replace(/\.js$/, '.ts'), file);
    expect(existsSync(fileURLToPath(next)), next.href).toBe(true);
    importsOf(next, seen);
  }
  return seen;
}

test('the main entry runs in a browser: besides its own files it imports what core has for browsers', () => {
  const imports = importsOf(new URL('./index.ts', import.meta.url));
  expect(imports).toContain('./loader.js');
  expect([...imports].filter((name) => !name.startsWith('.'))).toEqual(['@convkit/core', '@convkit/core/detection']);
});
