import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { CommonConfig, ModelFactory } from '@convkit/core';
import { UsageError, closest } from './errors.js';

/** The architecture packages, with a pattern of the names that each publishes: enough to say which one to install. */
const knownPackages: Readonly<Record<string, RegExp>> = {
  '@convkit/vgg': /^vgg/,
  '@convkit/resnet': /^(small_?|wide_?)?resne[xt]/i,
  '@convkit/inception': /^(inception|googlenet)/,
  '@convkit/densenet': /^densenet/,
  '@convkit/efficientnet': /^(tf_)?efficientnet/,
  '@convkit/mobilenet': /^mobilenet/,
  '@convkit/yolo': /^(yolo|darknet)/,
};

export type AnyModelFactory = ModelFactory<CommonConfig>;

/** Where packages are looked for: where the user is first, so that a project's own version wins over the one beside a global command. */
const bases = (): string[] => [process.cwd(), dirname(fileURLToPath(import.meta.url))];

/** The variants of every architecture package that is installed beside the command line or in the working directory. */
export async function installedModels(from = bases()): Promise<AnyModelFactory[]> {
  const found = await Promise.all(Object.keys(knownPackages).map((spec) => loadModels(spec, from)));
  return found.flat();
}

/**
 * The factory of a variant, by the name that it is published under; upper case and `_` or `-` do not matter.
 *
 * @throws UsageError naming the package to install, or the nearest names.
 */
export async function findModel(name: string, from = bases()): Promise<AnyModelFactory> {
  const models = await installedModels(from);
  const found = models.find(({ info }) => plain(info.name) === plain(name));
  if (found) return found;
  const home = Object.keys(knownPackages).find((spec) => knownPackages[spec].test(name));
  if (home && !packageFolder(home, from)) {
    throw new UsageError(`model '${name}' is in a package that is not installed: npm install ${home}`);
  }
  const near = closest(
    name,
    models.map(({ info }) => info.name),
  );
  const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : "'convkit models' lists the installed ones";
  throw new UsageError(`unknown model '${name}': ${hint}`);
}

const plain = (name: string): string => name.toLowerCase().replace(/[-_]/g, '');

async function loadModels(spec: string, from: readonly string[]): Promise<AnyModelFactory[]> {
  const folder = packageFolder(spec, from);
  if (folder === undefined) return [];
  const entry = moduleEntry(folder);
  const loaded = (await import(pathToFileURL(entry).href)) as { models?: readonly AnyModelFactory[] };
  return [...(loaded.models ?? [])];
}

function packageFolder(spec: string, from: readonly string[]): string | undefined {
  for (const base of from) {
    for (const folder of upwards(base)) {
      const candidate = join(folder, 'node_modules', spec);
      if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate);
    }
  }
  return undefined;
}

function* upwards(folder: string): Generator<string> {
  for (let at = folder; ; at = dirname(at)) {
    yield at;
    if (at === parse(at).root) return;
  }
}

/** The ES module of a package: `require.resolve` would give its CommonJS twin. */
function moduleEntry(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: { '.': { import: { default: string } } };
  };
  return join(folder, manifest.exports['.'].import.default);
}
