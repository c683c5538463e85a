import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, serve } from './bundle.js';
import { launch } from './chromium.js';
import type { DetectionPageResult } from './detection-page.js';

declare const window: Window & { convkit: { run(): Promise<DetectionPageResult> } };

let browser: Browser;
let server: Server | undefined;

beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

test('a detector takes a canvas, an ImageBitmap, an ImageData and the bytes of a file, and its boxes are drawn', async () => {
  const { code } = await bundle(readFileSync(new URL('detection-page.ts', import.meta.url), 'utf8'));
  const served = await serve(code, { isolated: false });
  server = served.server;
  const page = await browser.newPage();
  await page.goto(served.url);
  await page.waitForFunction(() => 'convkit' in window);
  const { found, edge } = await page.evaluate(() => window.convkit.run());
  expect(Object.keys(found)).toEqual(['canvas', 'bitmap', 'data', 'bytes']);
  for (const [detection, ...others] of Object.values(found)) {
    expect(others).toEqual([]);
    expect(detection).toMatchObject({ class: 0, label: 'half', box: [0, 0, 20, 20] });
    expect(detection.score).toBeCloseTo(1, 5);
  }
  const [red, green, blue] = edge;
  expect(Math.max(red, green, blue) - Math.min(red, green, blue)).toBeGreaterThan(40);
});
