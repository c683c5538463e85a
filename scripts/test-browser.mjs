// Runs tooling/browser-tests: core in headless Chromium.
import { pnpm } from './pnpm.mjs';
import { setup } from './setup.mjs';

setup();
pnpm(['--filter', '@convkit/browser-tests', 'run', 'test:browser']);
