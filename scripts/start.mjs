// `npm start`: installs and builds what is missing, then shows the main job with the real command line, step by step.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setup } from './setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const began = performance.now();
const model = 'resnet8';

setup();
await build(readdirSync(join(root, 'packages')));
const ready = seconds();

const run = join('runs', `start-${timestamp()}`);
const weights = join(run, 'model.safetensors');
const pictures = join(run, 'pictures');

say('Train a small ResNet on the embedded pictures: ten classes of drawn shapes.');
convkit('train', model, '--data', 'synthetic', '--epochs', '4', '--out', run);

say('Measure it on pictures that it has not seen.');
convkit('eval', model, '--weights', weights, '--data', 'synthetic', '--out', join(run, 'report'));

say(`Write ten new pictures to ${pictures}, and classify them from disk.`);
await writePictures();
convkit('classify', model, pictures, '--weights', weights, '--topk', '2');

const { top1 } = JSON.parse(readFileSync(join(root, run, 'report', 'eval.json'), 'utf8'));
say(`Done in ${seconds()} s, of which ${ready} s were set-up. Held-out accuracy: ${(100 * top1).toFixed(1)} %.`);
console.log(`Everything is in ${run}: open ${join(run, 'curves.svg')} and ${join(run, 'report', 'confusion.svg')} in a browser.

What to type next:
  npx convkit --help
  npx convkit models                              every variant
  npx convkit train resnet20 --data cifar10       CIFAR-10: 170 MB to download, an hour or two of training
  npx convkit train resnet18 --data DIR           your own pictures: DIR/CLASS/*.jpg
  npx convkit doctor                              faster backends, and what they need
  npm test`);

/** Builds the packages whose sources are newer than their build; without type declarations, which only `npm run build` makes. */
async function build(names) {
  const stale = names.filter((name) => newest(join(root, 'packages', name, 'src')) > built(join(root, 'packages', name)));
  if (stale.length === 0) return;
  console.log(`Building ${stale.map((name) => `@convkit/${name}`).join(', ')} …`);
  const tsup = join(root, 'node_modules', 'tsup', 'dist', 'cli-default.js');
  const args = [tsup, '--config', join('..', '..', 'tsup.config.ts'), '--no-dts', '--silent'];
  const exits = stale.map((name) => {
    const child = spawn(process.execPath, args, { cwd: join(root, 'packages', name), stdio: 'inherit' });
    return new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  });
  const failed = (await Promise.all(exits)).find((code) => code !== 0);
  if (failed !== undefined) process.exit(failed ?? 1);
}

/** The time of the latest change below a folder. */
function newest(folder) {
  return Math.max(...readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, name)).mtimeMs));
}

function built(folder) {
  const entry = ['index.js', 'main.js'].map((name) => join(folder, 'dist', name)).find((file) => existsSync(file));
  return entry === undefined ? 0 : statSync(entry).mtimeMs;
}

/** Runs the command line as a user would, after showing what to type for it. */
function convkit(...args) {
  console.log(`$ npx convkit ${args.join(' ')}\n`);
  const { status, error } = spawnSync(process.execPath, [join('packages', 'cli', 'bin', 'convkit.mjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** One picture of each class that neither training nor evaluation used. */
async function writePictures() {
  const load = (...path) => import(pathToFileURL(join(root, 'packages', ...path)).href);
  const { syntheticShapes } = await load('datasets', 'dist', 'index.js');
  const { writeImage } = await load('core', 'dist', 'node', 'index.js');
  const shapes = syntheticShapes({ size: 2010, split: 'test' });
  mkdirSync(join(root, pictures), { recursive: true });
  for (let i = 2000; i < shapes.length; i++) {
    await writeImage(join(root, pictures, `${shapes.classes[shapes.label(i)]}.png`), shapes.image(i));
  }
}

function say(text) {
  console.log(`\n── ${text}`);
}

function seconds() {
  return Math.round((performance.now() - began) / 1000);
}

function timestamp() {
  return new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
}
