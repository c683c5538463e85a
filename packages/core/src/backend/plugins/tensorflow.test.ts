import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getBackend } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BackendError } from '../../errors.js';
import type { selectBackend as SelectBackend } from '../select.js';

// A folder as an application has it, with tfjs-node as package managers leave it when they skip its install script.
// An installed tfjs-node would be found before it, so nothing of this can be tried there.
const installed = (() => {
  try {
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-node/package.json');
    return true;
  } catch {
    return false;
  }
})();
const home = process.cwd();
const app = realpathSync(mkdtempSync(join(tmpdir(), 'convkit-')));
const folder = join(app, 'node_modules', '@tensorflow', 'tfjs-node');
let selectBackend: typeof SelectBackend;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: '@tensorflow/tfjs-node', version: '4.22.0', main: 'index.js' }),
  );
  process.chdir(app); // The working directory is read when the module is loaded.
  ({ selectBackend } = await import('../select.js'));
  await selectBackend('cpu');
});

afterAll(() => {
  process.chdir(home);
  rmSync(app, { recursive: true });
});

async function failure(): Promise<string> {
  const error = await selectBackend('node').catch((e: unknown) => e);
  expect(error).toBeInstanceOf(BackendError);
  expect(getBackend()).toBe('cpu');
  return (error as Error).message;
}

test('tfjs-node without its native part is told apart from tfjs-node not installed, with what to run', async () => {
  if (installed) return;
  const message = await failure();
  expect(message).toContain('its install script has not run or failed: tfjs_binding.node is missing');
  expect(message).toContain('npm rebuild @tensorflow/tfjs-node');
  expect(message).toContain('allowBuilds');
  expect(message).not.toContain('\n');
});

test('tfjs-node that breaks while it loads is an error with its own words, and the current backend stays', async () => {
  if (installed) return;
  mkdirSync(join(folder, 'lib', 'napi-v8'), { recursive: true });
  writeFileSync(join(folder, 'lib', 'napi-v8', 'tfjs_binding.node'), '');
  writeFileSync(join(folder, 'index.js'), "throw new Error('libtensorflow.so.2: cannot open\\nshared object file')");
  expect(await failure()).toBe(
    'The node backend did not start: @tensorflow/tfjs-node could not be loaded: libtensorflow.so.2: cannot open shared object file',
  );
});

test('tfjs-node that joins another copy of tfjs-core is found out', async () => {
  if (installed) return;
  writeFileSync(join(folder, 'index.js'), '');
  delete createRequire(import.meta.url).cache[join(folder, 'index.js')];
  expect(await failure()).toContain('registered itself with another copy of @tensorflow/tfjs-core');
});
