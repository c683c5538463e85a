import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from '../spawn.test-util.js';
import { disagreements } from './agreement.js';
import type { BenchEngine } from './engines.js';
import type { Mode } from './lists.js';
import { measureWork } from './measure.js';
import { Peer } from './peer.js';
import { chooseWorks, workName } from './works.js';

const { path: dir, remove } = temporaryFolder();
afterAll(remove);

const log = join(dir, 'order.log');
const options = { runs: 10, seconds: 60, input: '', onProgress: () => undefined };
const work = { model: 'resnet8', mode: 'inference' as Mode, batch: 4, side: 32, classes: 10 };

/** An engine whose runs take as long as it says, and which writes its name down at each request. */
function fake(name: string, ms: number, values = [1], { dies = false, graphMs = NaN } = {}): BenchEngine {
  const script = `
    const { appendFileSync } = require('node:fs');
    console.log('a banner');
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { do: what, times } = JSON.parse(line);
      if (what === 'prepare') return console.log(JSON.stringify({ engine: '${name} 1.0' }));
      if (${dies}) { console.error('out of luck'); process.exit(3); }
      appendFileSync(${JSON.stringify(log)}, '${name}' + times + ' ');
      const all = (value) => Array(times).fill(value);
      const answer = { ms: all(${ms}), cpuMs: all(1), values: ${JSON.stringify(values)}, peakBytes: 5 };
      console.log(JSON.stringify({ ...answer, ...(${graphMs} ? { graphMs: all(${graphMs}) } : {}) }));
    });`;
  return { name, start: () => new Peer(process.execPath, ['-e', script]) };
}

test('engines run in turn, and throughput is told against the reference', async () => {
  const { rows, failures } = await measureWork(
    work,
    [fake('convkit:onnx', 40, [1], { graphMs: 38 }), fake('onnxruntime', 10)],
    options,
  );
  expect(failures).toEqual([]);
  const warmUp = 'convkit:onnx1 convkit:onnx1 convkit:onnx6 onnxruntime1 onnxruntime1 onnxruntime6 ';
  expect(readFileSync(log, 'utf8')).toBe(warmUp + 'convkit:onnx2 onnxruntime2 '.repeat(5));
  expect(rows).toMatchObject([
    {
      work: 'resnet8 inference, batch 4',
      engine: 'convkit:onnx',
      medianMs: 40,
      javaScriptMs: 2,
      itemsPerSecond: 100,
      ratio: 0.25,
      runs: 10,
    },
    { engine: 'onnxruntime', version: 'onnxruntime 1.0', reference: 'onnxruntime', ratio: 1, values: [1, 1], peakBytes: 5 },
  ]);
  expect(rows[1]).not.toHaveProperty('javaScriptMs');
});

test('an engine whose time is up stops', async () => {
  const { rows } = await measureWork(work, [fake('slow', 400)], { ...options, seconds: 1 });
  expect(rows[0].runs).toBe(3);
});

test('an engine that ends is a failure with its last words, and the others go on', async () => {
  const { rows, failures } = await measureWork(work, [fake('a', 1, [1], { dies: true }), fake('b', 1)], options);
  expect(failures).toEqual([{ work: workName(work), engine: 'a', reason: 'it ended with code 3: out of luck' }]);
  expect(rows.map(({ engine }) => engine)).toEqual(['b']);
});

test('a program that does not exist is a failure', async () => {
  const missing = { name: 'x', start: () => new Peer(join(dir, 'no-such-program'), []) };
  const { failures } = await measureWork(work, [missing], options);
  expect(failures[0].reason).toMatch(/ENOENT/);
});

test('engines that compute something else are named', async () => {
  const training = { ...work, mode: 'training' as Mode };
  const { rows } = await measureWork(training, [fake('a', 1, [2.01]), fake('pytorch', 1, [2]), fake('c', 1, [2.0001])], options);
  expect(disagreements(rows)).toEqual(['resnet8 training, batch 4: a gives 2.0100, 2.0100 where pytorch gives 2.0000, 2.0000']);
});

test('works are chosen by list, or by models with the side of their input', async () => {
  const quick = await chooseWorks({ list: 'quick' });
  expect(quick.map(workName)).toEqual([
    'resnet50 inference, batch 1',
    'mobilenet_v3_large inference, batch 1',
    'resnet20 training, batch 128',
  ]);
  expect(await chooseWorks({ list: 'quick', mode: 'training' })).toHaveLength(1);
  const own = await chooseWorks({ list: 'quick', models: 'ResNet-18@32,resnet50', mode: 'both', batch: [2, 3] });
  expect(own).toHaveLength(8);
  expect(own[0]).toEqual({ model: 'resnet18', mode: 'inference', batch: 2, side: 32, classes: 10 });
  expect(own[7]).toEqual({ model: 'resnet50', mode: 'training', batch: 3, side: 224, classes: 1000 });
  await expect(chooseWorks({ list: 'quick', models: 'resnet18@x' })).rejects.toThrow(/'resnet18@x' must be a name/);
});
