import { inference, selectBackend } from '@convkit/core';
import { distance, expectTensor, fillInput, goldenBackend, relative, sharedGoldens } from '@convkit/model-tests';
import { type Tensor, memory, tensor4d, tidy, transpose } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type LayerConfig, isHead } from './config.js';
import { decodeHeads } from './decode.js';
import type { DarknetDetector } from './detector.js';
import { type DarknetCase, type LayerRow, filledModel, readDarknetGolden } from './goldens.test-util.js';

/** Darknet's own float32 strays from the float64 of the reference by up to 5e-6 in the boxes. */
const TOLERANCE = 2e-5;
const noise = { rel_l2: TOLERANCE / 20 };

const everything = process.env.CONVKIT_ALL_GOLDENS ? sharedGoldens('darknet') : new Map<string, URL>();
const carried = ['yolov2-tiny', 'yolov3-tiny', 'yolov4-tiny'].map(
  (name) => [name, new URL(`./__fixtures__/${name}.json`, import.meta.url)] as const,
);

describe.each([...new Map([...carried, ...everything])])('%s', (_, url) => {
  beforeAll(() => selectBackend(goldenBackend));
  const golden = readDarknetGolden(url);

  test('has the parameters, the file and the layer outputs, maps and boxes of the reference', async () => {
    const before = memory().numTensors;
    const { model, file } = filledModel(golden.model, golden.head_scale);
    try {
      const count = (kind: string): number =>
        [...model.state()].reduce((n, [, s]) => n + (s.kind === kind && 'size' in s ? s.size : 0), 0);
      expect(count('parameter')).toBe(golden.num_params);
      expect(count('buffer')).toBe(golden.num_buffers);
      expect(file.length).toBe(golden.weight_file_bytes);
      checkFile(new Float32Array(file.buffer, 20), golden.weight_check);
      for (const run of golden.cases) await checkCase(model, run);
    } finally {
      model.dispose();
    }
    expect(memory().numTensors, 'tensors left in memory').toBe(before);
  });
});

function checkFile(values: Float32Array, check: { first: number[]; last: number[]; sum: number; sumsq: number }): void {
  check.first.forEach((value, i) => expect(values[i]).toBeCloseTo(value, 7));
  check.last.forEach((value, i) => expect(values[values.length - check.last.length + i]).toBeCloseTo(value, 7));
  expect(
    relative(
      values.reduce((sum, value) => sum + value, 0),
      check.sum,
    ),
  ).toBeLessThan(1e-6);
  expect(
    relative(
      values.reduce((sum, value) => sum + value * value, 0),
      check.sumsq,
    ),
  ).toBeLessThan(1e-6);
}

async function checkCase(model: DarknetDetector, run: DarknetCase): Promise<void> {
  const [n, c, h, w] = run.input_shape;
  const { layers, heads } = model.network;
  const x = tensor4d(fillInput(run.input_shape, { unit: true }), [n, h, w, c]);
  const own: Tensor[] = [x];
  try {
    // some layers at a time: all maps of a large net together are too many
    for (let from = 0; from < layers.length; from += 60) {
      const some = layers.map((_, i) => i).slice(from, from + 60);
      const maps = model.network.trace(x, inference, some);
      own.push(...maps);
      for (const [k, index] of some.entries())
        await checkLayer(maps[k], index, run.layer_stats.rows[index], layers[index].config);
      for (const map of own.splice(1)) map.dispose();
    }
    const maps = model.forward(x, inference);
    own.push(...maps);
    for (const [i, map] of maps.entries()) {
      expect(heads[i].index).toBe(run.heads[i].layer);
      expectTensor(await read(map, [0, 3, 1, 2]), transposed(map.shape), run.heads[i].raw, noise);
    }
    await checkBoxes(maps, model, run);
  } finally {
    for (const tensor of own) tensor.dispose();
  }
}

async function checkLayer(map: Tensor, index: number, row: LayerRow, config: LayerConfig): Promise<void> {
  const [, [channels, height, width], l2, sum] = row;
  expect(map.shape, `shape of layer ${index}`).toEqual([1, height, width, channels]);
  if (isHead(config)) return; // the reference lists what it means, checked below
  const values = await map.data<'float32'>();
  const norm = Math.sqrt(total(values, (value) => value ** 2));
  expect(relative(norm, l2), `L2 norm of layer ${index} [${config.kind}]`).toBeLessThan(TOLERANCE);
  const most = l2 * Math.sqrt(values.length); // of a sum with this norm
  expect(Math.abs(total(values, (value) => value) - sum) / most, `sum of layer ${index}`).toBeLessThan(TOLERANCE);
}

/** Darknet's rows are centre and size in parts of the input, objectness, and objectness · class. */
async function checkBoxes(maps: readonly Tensor[], model: DarknetDetector, { input_shape, output }: DarknetCase): Promise<void> {
  const [, , h, w] = input_shape;
  const { heads } = model.network;
  const proposals = tidy(() => ({ ...decodeHeads(maps, heads, [h, w]) }));
  const boxes = await proposals.boxes.data<'float32'>();
  const scores = await proposals.scores.data<'float32'>();
  for (const tensor of [proposals.boxes, proposals.scores]) tensor.dispose();
  const classes = model.classes.length;
  const [count, columns] = output.shape;
  expect([boxes.length / 4, scores.length / classes]).toEqual([count, count]);
  const found: number[] = [];
  const expected: number[] = [];
  output.strided!.forEach((value, k) => {
    const [row, column] = [Math.floor((k * output.stride!) / columns), (k * output.stride!) % columns];
    if (column === 4) return; // objectness alone is no output of ours
    const at = heads[0].config.kind === 'region' ? anchorMajor(row, count, heads[0].config.anchors.length) : row;
    const [x1, y1, x2, y2] = boxes.subarray(4 * at, 4 * at + 4);
    const centre = [(x1 + x2) / 2 / w, (y1 + y2) / 2 / h, (x2 - x1) / w, (y2 - y1) / h];
    found.push(column < 4 ? centre[column] : scores[at * classes + column - 5]);
    expected.push(value);
  });
  expect(distance(found, expected), 'relative L2 distance of boxes and scores').toBeLessThan(TOLERANCE);
}

/** The reference lists the boxes of `[region]` anchor by anchor; where its row is in ours, cell by cell. */
const anchorMajor = (row: number, count: number, anchors: number): number => {
  const cells = count / anchors;
  return (row % cells) * anchors + Math.floor(row / cells);
};

const transposed = ([n, h, w, c]: readonly number[]): number[] => [n, c, h, w];
const total = (values: Float32Array, term: (value: number) => number): number => {
  let sum = 0;
  for (const value of values) sum += term(value);
  return sum;
};

async function read(map: Tensor, order: number[]): Promise<Float32Array> {
  const planes = tidy(() => transpose(map, order));
  try {
    return await planes.data<'float32'>();
  } finally {
    planes.dispose();
  }
}
