import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Headless Chromium with WebGPU on its software adapter, and without the browser's own traffic. */
export function launch(): Promise<Browser> {
  const executablePath = [process.env['CHROME_PATH'], ...places].find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) {
    throw new Error(
      'No Chromium or Chrome found. Debian: apt-get install -y chromium; elsewhere set CHROME_PATH to its program.',
    );
  }
  return chromium.launch({
    executablePath,
    args: [
      ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan', '--no-sandbox'],
      ...['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic'],
    ],
  });
}
