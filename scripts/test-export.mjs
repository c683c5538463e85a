// `npm run test:export [PATTERN]`: writes every net of every package as an ONNX file, with random weights, and compares ONNX Runtime's
// results with those of the net on wasm. With a python3 that has onnx, its checker reads each file as well.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = ['vgg', 'resnet', 'inception', 'densenet', 'efficientnet', 'mobilenet', 'yolo'];
const load = (name) => import(new URL(`../packages/${name}/dist/index.js`, import.meta.url));
const TOLERANCE = 1e-4; // of an output's largest value
const openInputs = [
  { size: [128, 96], batch: 1 },
  { size: [151, 107], batch: 3 },
];

if (process.argv[2] === '--one') await checkOne(process.argv[3], process.argv[4], process.argv[5]);
else await checkAll(new RegExp(process.argv[2] ?? '.'));

/** One process for each net, so that no more than one is in memory. */
async function checkAll(pattern) {
  const python = ['python3', '/usr/bin/python3'].find((path) => spawnSync(path, ['-c', 'import onnx']).status === 0);
  console.log(
    python ? `checker: onnx of ${python}` : 'checker: no python3 has onnx, so that the files are only run, not checked',
  );
  const failed = [];
  let count = 0;
  for (const name of packages) {
    for (const { info } of (await load(name)).models.filter((factory) => pattern.test(factory.info.name))) {
      count++;
      const args = [fileURLToPath(import.meta.url), '--one', name, info.name, python ?? ''];
      if (spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) failed.push(info.name);
    }
  }
  console.log(failed.length === 0 ? `${count} nets agree` : `${failed.length} of ${count} nets failed: ${failed.join(', ')}`);
  process.exit(failed.length === 0 ? 0 : 1);
}

async function checkOne(packageName, variant, python) {
  const { ArgumentError, Random, selectBackend } = await load('core');
  const { exportDifference, exportOnnx, registerOnnx } = await load('onnx');
  registerOnnx();
  await selectBackend('onnx');
  const model = (await load(packageName)).models.find(({ info }) => info.name === variant)();
  setWeights(model, new Random(1));
  const { file, closed } = write(
    () => exportOnnx(model, { size: 'any' }),
    () => exportOnnx(model),
  );
  if (python) checkFile(python, file);
  const [height, width] = [model.preprocessing?.size ?? model.inputSize].flat(2);
  const own = [height, width ?? height];
  await selectBackend('wasm'); // the reference must not come from the backend that wrote the file
  const inputs = closed ? [1, 2].map((batch) => ({ size: own, batch })) : openInputs;
  let worst = 0;
  for (const input of inputs) {
    for (const difference of Object.values(exportDifference(model, file, input))) {
      worst = Number.isNaN(difference) ? NaN : Math.max(worst, difference);
    }
  }
  const sizes = closed ? `${own.join('×')} only: ${closed}` : 'any size';
  const right = worst < TOLERANCE;
  console.log(`${right ? '✓' : '✗'} ${variant}  ${worst.toExponential(1)}  ${(file.length / 2 ** 20).toFixed(1)} MiB  ${sizes}`);
  process.exit(right ? 0 : 1);

  function write(open, fixed) {
    try {
      return { file: open() };
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      return { file: fixed(), closed: error.message };
    }
  }
}

/** Starting values, and norms that differ from channel to channel: with those of a new net a lost one would not show. */
function setWeights(model, random) {
  model.initialize(0);
  for (const [name, state] of model.state()) {
    if (state.kind === 'counter' || state.shape.length > 1) continue;
    const source = random.child(name);
    const isScale = /(weight|running_var)$/.test(name);
    state.set(
      Float32Array.from({ length: state.size }, () => (isScale ? 1 + source.uniform(-0.3, 0.3) : source.uniform(-0.1, 0.1))),
    );
  }
}

function checkFile(python, file) {
  const folder = mkdtempSync(join(tmpdir(), 'convkit-export-'));
  const path = join(folder, 'net.onnx');
  writeFileSync(path, file);
  try {
    const program = 'import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)';
    execFileSync(python, ['-c', program, path], { stdio: ['ignore', 'ignore', 'pipe'] });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
