// Trains YOLOv8n and YOLOv3-tiny from scratch on the drawn data set, and fails unless each finds the objects of 200 held-out
// images with a mean average precision of at least 0.9 at IoU 0.5. Took half an hour on two busy cores.
// `npm run test:train -- --backend wasm` trains on another backend than onnx.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const convkit = fileURLToPath(new URL('../packages/cli/bin/convkit.mjs', import.meta.url));
const nets = {
  yolov8n: ['--epochs', '20'],
  'yolov3-tiny': ['--epochs', '30', '--lr', '0.001'],
};
const folder = mkdtempSync(join(tmpdir(), 'convkit-train-'));
let failed = false;
for (const [net, options] of Object.entries(nets)) {
  const args = ['train', net, '--data', 'synthetic', '--limit', '400', ...options, '--backend', 'onnx', ...process.argv.slice(2)];
  const run = spawnSync(process.execPath, [convkit, ...args, '--out', join(folder, net), '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) process.exit(1);
  const { validation, seconds, steps, backend } = JSON.parse(run.stdout.trimEnd().split('\n').at(-1));
  const figures = `AP50 ${validation.ap50.toFixed(3)}, AP ${validation.ap.toFixed(3)}`;
  console.log(`${net}: ${figures} after ${steps} steps and ${Math.round(seconds)} s on ${backend}`);
  failed ||= !(validation.ap50 >= 0.9);
}
rmSync(folder, { recursive: true });
process.exit(failed ? 1 : 0);
