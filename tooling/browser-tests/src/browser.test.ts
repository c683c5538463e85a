import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { SelectedBackend, probeBackends, selectBackend } from '@convkit/core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, serve } from './bundle.js';
import { launch } from './chromium.js';
import type { PageResult } from './page.js';

declare const window: Window & {
  convkit: {
    run(backend: string, steps: number): Promise<PageResult>;
    probeBackends: typeof probeBackends;
    selectBackend: typeof selectBackend;
  };
};

let browser: Browser;
let code: string;
const servers: Server[] = [];

beforeAll(async () => {
  browser = await launch();
  code = (await bundle(readFileSync(new URL('page.ts', import.meta.url), 'utf8'))).code;
});

afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.close();
});

/** A page with the program loaded; its errors end up in `errors`. */
async function open(program: string, isolated = false): Promise<{ page: Page; errors: string[] }> {
  const { server, url } = await serve(program, { isolated });
  servers.push(server);
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.location().url.endsWith('favicon.ico')) errors.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction(() => 'convkit' in window);
  return { page, errors };
}

const run = (page: Page, backend: string, steps: number): Promise<PageResult> =>
  page.evaluate(([name, count]) => window.convkit.run(name, count), [backend, steps] as const);

/** The largest difference, in units of the largest value. */
function difference(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  const largest = Math.max(1e-3, ...b.map(Math.abs));
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]))) / largest;
}

test.each([
  ['wasm', false, 'SIMD, 1 thread'],
  ['wasm', true, 'SIMD, '], // tfjs takes half of the processor's threads
  ['webgpu', false, ''],
])('%s (cross-origin isolated: %s) computes and trains in a page as cpu does', async (backend, isolated, device) => {
  const { page, errors } = await open(code, isolated);
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(isolated);
  const expected = await run(page, 'cpu', 3);
  const found = await run(page, backend, 10);
  const differences = Object.keys(expected.gradients).map((name) =>
    difference(found.gradients[name] ?? [], expected.gradients[name]),
  );
  console.log(
    `${found.reason}: probabilities ±${difference(found.probabilities, expected.probabilities).toExponential(1)}, ` +
      `gradients ±${Math.max(...differences).toExponential(1)}, loss ${found.losses[0].toFixed(4)} → ` +
      `${found.losses.at(-1)!.toFixed(4)} in ${found.milliseconds.toFixed(0)} ms`,
  );
  expect(found.reason).toContain(device);
  expect(difference(found.probabilities, expected.probabilities)).toBeLessThan(1e-4);
  for (const value of differences) expect(value).toBeLessThan(1e-3);
  expect(difference(found.losses.slice(0, 3), expected.losses)).toBeLessThan(1e-3);
  expect(found.losses.at(-1)!).toBeLessThan(found.losses[0] * 0.6);
  expect(new Set(found.tensors.slice(1)).size).toBe(1);
  expect(errors).toEqual([]);
  await page.close();
});

test('auto in a page passes over what needs Node and over a software GPU, and says so', async () => {
  const { page, errors } = await open(code);
  const selected: SelectedBackend = await page.evaluate(() => window.convkit.selectBackend('auto', { wasmPath: '/wasm/' }));
  expect(selected.name).toBe('wasm');
  console.log(selected.reason);
  expect(selected.reason).toContain('cuda: @tensorflow/tfjs-node-gpu runs in Node only');
  expect(selected.reason).toContain('webgpu: the adapter is software');
  expect(errors).toEqual([]);
  await page.close();
});

test('a page that serves no .wasm files hears what to serve, and keeps its backend', async () => {
  const { page } = await open(code);
  const message = await page.evaluate(async () => {
    await window.convkit.selectBackend('cpu');
    return window.convkit.selectBackend('wasm', { wasmPath: '/nowhere/' }).then(String, String);
  });
  expect(message).toContain('The wasm backend did not start: its .wasm file could not be loaded');
  expect(message).toContain('serve the .wasm files of @tensorflow/tfjs-backend-wasm');
  await page.close();
});

test("the main entry's bundle has neither the WebGPU kernels nor the gradients, and says how to get WebGPU", async () => {
  const { code: main, inputs } = await bundle(
    `import { probeBackends, selectBackend } from '@convkit/core'; Object.assign(window, { convkit: { probeBackends, selectBackend } });`,
  );
  expect(inputs.filter((file) => /tfjs-backend-webgpu|register_all_gradients|tfjs-node/.test(file))).toEqual([]);
  const { page, errors } = await open(main);
  const probes = await page.evaluate(() => window.convkit.probeBackends());
  const webgpu = probes.find(({ name }) => name === 'webgpu')!.probe;
  expect(webgpu.usable ? '' : webgpu.remedy).toContain("import '@convkit/core/webgpu'");
  expect(errors).toEqual([]);
  await page.close();
});
