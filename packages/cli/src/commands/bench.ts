import { mkdtempSync, rmSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@convkit/core';
import { writeFileAtomic } from '@convkit/core/node';
import { disagreements } from '../bench/agreement.js';
import { type BenchEngine, type Python, chooseEngines, findPython, listEngines } from '../bench/engines.js';
import { describeMachine, loadNow } from '../bench/machine.js';
import { type Failure, type Row, measureWork } from '../bench/measure.js';
import { benchSvg } from '../bench/picture.js';
import { type Work, type WorkOptions, chooseWorks, workName } from '../bench/works.js';
import { exitCode } from '../errors.js';
import { decimal, mebibytes, table } from '../format.js';
import { Output } from '../output.js';
import { Progress } from '../progress.js';

export interface BenchOptions extends WorkOptions {
  engines?: string;
  python?: string;
  runs: number;
  seconds: number;
  out?: string;
  json: boolean;
}

export async function runBench(options: BenchOptions): Promise<void> {
  const output = new Output(options.json);
  const works = await chooseWorks(options);
  const python = await findPython(options.python);
  const all = await listEngines(python);
  const engines = chooseEngines(all, options.engines);
  const machine = describeMachine();
  output.print(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Node ${machine.node}; load ${machine.load.before}`,
  );
  const absent = all.flatMap(({ name, absent: reason }) => (reason === undefined ? [] : [{ engine: name, reason }]));
  for (const { engine, reason } of absent) output.print(`absent: ${engine}: ${reason}`);
  const left = all.filter((engine) => engine.absent === undefined && !engines.includes(engine)).map(({ name }) => name);
  if (left.length > 0) output.print(`left out: ${left.join(', ')} (--engines all runs them too)`);

  const rows: Row[] = [];
  const failures: Failure[] = [];
  const progress = new Progress(output);
  const stop = (signal: NodeJS.Signals): void => {
    rmSync(folder, { recursive: true, force: true }); // the net may take a gigabyte
    process.exit(signal === 'SIGINT' ? exitCode.interrupted : exitCode.terminated); // the engines end with their input
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const folder = mkdtempSync(join(tmpdir(), 'convkit-bench-'));
  try {
    for (const [i, work] of works.entries()) {
      const found = await bench(work, engines, python, folder, options, (done, total, engine) =>
        progress.update({ label: `${i + 1}/${works.length} ${workName(work)}`, done, total, details: [engine] }),
      );
      rows.push(...found.rows);
      failures.push(...found.failures);
      if (found.rows.length > 0) output.print(`\n${workTable(found.rows)}`);
      for (const { engine, reason } of found.failures) output.print(`cannot: ${engine}: ${reason}`);
    }
  } finally {
    progress.end();
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await rm(folder, { recursive: true, force: true });
  }
  machine.load.after = loadNow();
  const differences = disagreements(rows);
  for (const difference of differences) output.warn(difference);
  const versions = [...new Set(rows.map(({ version }) => version))];
  output.print(`\n${versions.join('\n')}`);
  output.print(
    `load after: ${machine.load.after}; ms: median, CPU ms: of all cores, JS ms: outside of graphs, first: the first run; memory: peak of the process`,
  );
  const result = { machine, rows, absent, failures, disagreements: differences };
  if (options.out !== undefined) {
    const subtitle = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; × is against ONNX Runtime or PyTorch`;
    await writeFileAtomic(join(options.out, 'bench.svg'), await benchSvg(subtitle, rows));
    await writeFileAtomic(join(options.out, 'bench.json'), `${JSON.stringify(result, null, 2)}\n`);
    output.print(`written ${join(options.out, 'bench.svg')} and ${join(options.out, 'bench.json')}`);
  }
  output.result(result);
}

/** One work: its images, and where PyTorch is, weights and an ONNX file for all; then the engines in turn. */
async function bench(
  work: Work,
  engines: readonly BenchEngine[],
  python: Python,
  folder: string,
  { runs, seconds }: BenchOptions,
  onProgress: (done: number, total: number, engine: string) => void,
): Promise<{ rows: Row[]; failures: Failure[] }> {
  const input = join(folder, 'images.f32');
  const random = new Random(0);
  const { batch, side, mode } = work;
  await writeFile(
    input,
    Float32Array.from({ length: batch * side * side * 3 }, () => random.uniform(-1.7, 1.7)),
  ); // deviation 1
  if (!('start' in python)) return measureWork(work, engines, { runs, seconds, input, onProgress });
  onProgress(0, 1, 'writing the net');
  const weights = join(folder, 'weights.safetensors');
  const onnx = mode === 'inference' ? join(folder, 'net.onnx') : undefined;
  const writer = python.start();
  try {
    await writer.write({ ...work, threads: 1, input, weights, onnx });
  } catch (error) {
    const without = engines.filter(({ name }) => !/^(pytorch|onnxruntime)/.test(name));
    const found = await measureWork(work, without, { runs, seconds, input, onProgress });
    const missing = engines.filter((engine) => !without.includes(engine)).map(({ name }) => name);
    const reason = (error as Error).message;
    return {
      rows: found.rows,
      failures: [...missing.map((engine) => ({ work: workName(work), engine, reason })), ...found.failures],
    };
  } finally {
    await writer.end();
  }
  return measureWork(work, engines, { runs, seconds, input, weights, onnx, onProgress });
}

function workTable(rows: readonly Row[]): string {
  const [{ work, reference }] = rows;
  return table(
    [work, 'ms', 'least ms', 'CPU ms', 'JS ms', 'images/s', `× ${reference}`, 'first ms', 'memory', 'runs'],
    rows.map((row) => [
      row.engine,
      decimal(row.medianMs),
      decimal(row.minMs),
      decimal(row.cpuMs),
      row.javaScriptMs === undefined ? '' : decimal(row.javaScriptMs),
      decimal(row.itemsPerSecond),
      row.ratio.toFixed(2),
      decimal(row.firstMs),
      mebibytes(row.peakBytes),
      String(row.runs),
    ]),
  );
}
