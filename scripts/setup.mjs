// Installs the dependencies with the pinned pnpm, unless what is installed fits the lockfile and the manifests already.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { pnpm } from './pnpm.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'node_modules', '.convkit-setup');

export function setup() {
  const wanted = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  pnpm(['install', '--frozen-lockfile']);
  writeFileSync(stamp, wanted);
}

function fingerprint() {
  const folders = ['packages', 'tooling', 'examples'].flatMap((group) => {
    const folder = join(root, group);
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  });
  const manifests = [root, ...folders].map((folder) => join(folder, 'package.json'));
  const hash = createHash('sha256');
  for (const file of [join(root, 'pnpm-lock.yaml'), join(root, 'pnpm-workspace.yaml'), ...manifests]) {
    if (existsSync(file)) hash.update(file.slice(root.length)).update(readFileSync(file));
  }
  return hash.digest('hex');
}
