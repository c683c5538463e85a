import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, parse } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ClassModel, Classifier, CommonConfig, ModelFactory } from '@convkit/core';
import type { Detector } from '@convkit/core/detection';
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

export type AnyModelFactory = ModelFactory<CommonConfig, ClassModel>;
export type ClassifierFactory = ModelFactory<CommonConfig, Classifier>;
export type DetectorFactory = ModelFactory<CommonConfig, Detector>;

export const isDetector = (factory: AnyModelFactory): factory is DetectorFactory =>
  factory.info.task !== undefined && factory.info.task !== 'classify';

/** Where packages are looked for: where the user is first, so that a project's own version wins over the one beside a global command. */
const bases = (): string[] => [process.cwd(), dirname(fileURLToPath(import.meta.url))];

/** The variants of every architecture package that is installed beside the command line or in the working directory. */
export async function installedModels(from = bases()): Promise<AnyModelFactory[]> {
  const found = await Promise.all(Object.keys(knownPackages).map((spec) => loadModels(spec, from)));
  return found.flat();
}

/**
 * The factory of a variant, by the name that it is published under; upper case and `_` or `-` do not matter. `NET.cfg` is a
 * Darknet net of one's own.
 *
 * @throws UsageError naming the package to install, or the nearest names.
 */
export async function findModel(name: string, from = bases()): Promise<AnyModelFactory> {
  if (name.toLowerCase().endsWith('.cfg')) return darknetModel(name, from);
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

/** The same for what classifies images. Throws UsageError for a detector. */
export async function findClassifier(name: string): Promise<ClassifierFactory> {
  const factory = await findModel(name);
  if (!isDetector(factory)) return factory as ClassifierFactory;
  throw new UsageError(`${factory.info.name} finds objects, it does not classify images: see convkit detect and convkit eval`);
}

/** The same for what finds objects. Throws UsageError for a classifier. */
export async function findDetector(name: string): Promise<DetectorFactory> {
  const factory = await findModel(name);
  if (isDetector(factory)) return factory;
  throw new UsageError(`${factory.info.name} classifies images, it does not find objects: see convkit classify`);
}

/** What `@convkit/yolo` makes of a Darknet configuration file, named as the file. */
async function darknetModel(path: string, from: readonly string[]): Promise<AnyModelFactory> {
  const folder = packageFolder('@convkit/yolo', from);
  if (folder === undefined) throw new UsageError(`${path} needs a package that is not installed: npm install @convkit/yolo`);
  const { fromConfig } = (await import(pathToFileURL(moduleEntry(folder)).href)) as {
    fromConfig: (text: string, name: string) => AnyModelFactory;
  };
  return fromConfig(readFileSync(path, 'utf8'), basename(path).replace(/\.cfg$/i, ''));
}

const plain = (name: string): string => name.toLowerCase().replace(/[-_]/g, '');

async function loadModels(spec: string, from: readonly string[]): Promise<AnyModelFactory[]> {
  const folder = packageFolder(spec, from);
  if (folder === undefined) return [];
  const entry = moduleEntry(folder);
  const loaded = (await import(pathToFileURL(entry).href)) as { models?: readonly AnyModelFactory[] };
  return [...(loaded.models ?? [])];
}

/** The folder of an installed package. */
export function packageFolder(spec: string, from: readonly string[] = bases()): string | undefined {
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
export function moduleEntry(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: { '.': { import: { default: string } } };
  };
  return join(folder, manifest.exports['.'].import.default);
}
