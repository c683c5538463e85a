// Runs core's tests of ops, gradients and training on WebGPU in Node (Dawn). On a machine without a GPU this takes the
// software Vulkan driver SwiftShader, which comes with Chromium: right, and slow.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from './setup.mjs';

const core = fileURLToPath(new URL('../packages/core', import.meta.url));
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const tests = ['src/backend/parity.test.ts', 'src/backend/training.test.ts', 'src/backend/select.test.ts'];

const chosen = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
const candidates = chosen
  ? [chosen]
  : ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'].map((folder) =>
      join(folder, 'vk_swiftshader_icd.json'),
    );
const driver = candidates.find((file) => existsSync(file));
if (process.platform === 'linux' && !driver) {
  console.error(
    `error: no Vulkan driver for the test. Looked for ${candidates.join(', ')}.\n` +
      `Debian: apt-get install -y chromium. Elsewhere: set VK_ICD_FILENAMES to the .json file of a Vulkan driver.`,
  );
  process.exit(1);
}

const env = { XDG_RUNTIME_DIR: tmpdir(), ...process.env, CONVKIT_BACKENDS: 'webgpu' };
if (driver) {
  // Chromium brings the Vulkan loader too, for machines that have none.
  env.VK_ICD_FILENAMES = driver;
  env.LD_LIBRARY_PATH = [process.env.LD_LIBRARY_PATH, dirname(driver)].filter(Boolean).join(delimiter);
  console.log(`Vulkan driver: ${driver}`);
}
setup();
const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', '../../vitest.config.ts', ...tests], {
  cwd: core,
  env,
  stdio: 'inherit',
});
process.exit(status ?? 1);
