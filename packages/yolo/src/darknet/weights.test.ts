import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError, decodeSafetensors, encodeSafetensors, selectBackend, stateDict } from '@convkit/core';
import { sharedDir } from '@convkit/model-tests';
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadDarknetBackbone } from './backbone.js';
import type { DarknetClassifier } from './classifier.js';
import type { DarknetDetector } from './detector.js';
import { type DarknetFactory, fromConfig } from './from-config.js';
import { filledFile } from './goldens.test-util.js';
import { darknet53, yolov3, yolov3Tiny, yolov4, yolov4Tiny } from './variants.js';
import { encodeDarknetWeights, readDarknetHeader, readDarknetWeights } from './weights.js';

const small = `[net]
width=8
height=8
[convolutional]
batch_normalize=1
filters=4
size=3
stride=2
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[connected]
output=3
batch_normalize=1
activation=linear
[connected]
output=18
activation=linear
[detection]
classes=3
side=1
num=3
`;

const make = (text = small): { factory: DarknetFactory; model: DarknetDetector } => {
  const factory = fromConfig(text, 'small');
  return { factory, model: factory() as DarknetDetector };
};
const failure = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
  return 'no error';
};

/** Of `small`: the convolution's, both connected layers'. */
const LAYERS = [4 * 4 + 4 * 27, 4 * 3 + 3 * 16, 18 + 18 * 3];
const VALUES = LAYERS.reduce((a, b) => a + b);

beforeAll(() => selectBackend('cpu'));

describe('.weights files', () => {
  test.each([
    [[0, 1, 0] as const, 16],
    [[0, 2, 0] as const, 20],
    [[1, 0, 0] as const, 20],
  ])('of version %j are written and read again bit by bit, with a header of %i bytes', async (version, bytes) => {
    const before = memory().numTensors;
    const { factory, model } = make();
    model.initialize(3);
    const file = await encodeDarknetWeights(model, { version, seen: 32_013_312n });
    expect(file.length).toBe(bytes + 4 * VALUES);
    expect(readDarknetHeader(file, 'f')).toEqual({ version, seen: 32_013_312n, bytes, transposed: false });
    const copy = factory() as DarknetDetector;
    expect(loadDarknetBackbone(copy, file)).toMatchObject({ layers: 5, kept: [] });
    expect(await encodeDarknetWeights(copy, { version, seen: 32_013_312n })).toEqual(file);
    for (const net of [model, copy]) net.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('have β, γ, mean and variance before a convolution, and behind the weights of a connected layer', () => {
    const { model } = make();
    const file = new Uint8Array(20 + 4 * VALUES);
    new DataView(file.buffer).setInt32(4, 2, true);
    new Float32Array(file.buffer, 20).forEach((_, i, values) => (values[i] = i + 1));
    const { tensors } = readDarknetWeights(file, model.network, 'f');
    const firsts = [...tensors].map(([name, { data }]) => `${name} ${String(data[0])}`);
    expect(firsts).toEqual([
      ...['0.batch_norm_0.bias 1', '0.batch_norm_0.weight 5', '0.batch_norm_0.running_mean 9', '0.batch_norm_0.running_var 13'],
      '0.conv_0.weight 17',
      ...['2.batch_norm_2.bias 125', '2.connected_2.weight 128', '2.batch_norm_2.weight 176', '2.batch_norm_2.running_mean 179'],
      ...['2.batch_norm_2.running_var 182', '3.connected_3.bias 185', '3.connected_3.weight 203'],
    ]);
  });

  test('of versions above 1000 have connected layers transposed, and 4 bytes for the images seen', () => {
    const { model } = make();
    const file = new Uint8Array(16 + 4 * VALUES);
    new DataView(file.buffer).setInt32(4, 1001, true);
    new Float32Array(file.buffer, 16).forEach((_, i, values) => (values[i] = i));
    const { header, tensors } = readDarknetWeights(file, model.network, 'f');
    expect(header).toMatchObject({ bytes: 16, transposed: true });
    const from = 124 + 3;
    expect([...tensors.get('2.connected_2.weight')!.data].slice(0, 3)).toEqual([from, from + 3, from + 6]); // [in, out] in the file
  });

  test('that are cut off, too long or hold no number say which layer, and how many bytes it needs', async () => {
    const { factory, model } = make();
    const file = await encodeDarknetWeights(model.initialize());
    const decode = (bytes: Uint8Array): unknown => factory.decodeWeights!(bytes, 'net.weights');
    expect(failure(() => decode(file.subarray(0, file.length - 4)))).toBe(
      `net.weights: layer 3 [connected] (line 18) needs 216 bytes for connected_3.weight, the file has 212 left; the whole net takes ${20 + 4 * VALUES} bytes, found ${16 + 4 * VALUES}.`,
    );
    expect(failure(() => decode(new Uint8Array([...file, 0, 0])))).toBe(
      `net.weights: the net's 5 layers take ${20 + 4 * VALUES} bytes, the file has ${22 + 4 * VALUES}: it is of another net, or of other classes.`,
    );
    expect(failure(() => decode(file.subarray(0, 20 + 4 * LAYERS[0])))).toContain(
      'net.weights has weights of the first 2 of 5 layers: load it with',
    );
    expect(failure(() => decode(file.subarray(0, 18)))).toBe('net.weights: expected a header of 20 bytes, found 18 bytes.');
    expect(failure(() => decode(file.subarray(0, 20)))).toContain('layer 0 [convolutional] (line 4) needs 16 bytes');
    expect(failure(() => decode(new Uint8Array(0)))).toContain('net.weights is empty');
    const broken = file.slice();
    new DataView(broken.buffer).setFloat32(20 + 4 * 20, NaN, true);
    expect(failure(() => decode(broken))).toBe('net.weights: value 4 of conv_0.weight of layer 0 [convolutional] is NaN.');
    model.dispose();
  });

  test('may lie anywhere in memory', async () => {
    const { model } = make();
    const file = await encodeDarknetWeights(model.initialize());
    const shifted = new Uint8Array(file.length + 3).subarray(3);
    shifted.set(file);
    const [a, b] = [file, shifted].map((bytes) => [...readDarknetWeights(bytes, model.network, 'f').tensors]);
    expect(b).toEqual(a);
    model.dispose();
  });

  test('of the first layers load into a net, which says which ones they are', async () => {
    const { model } = make();
    const file = await encodeDarknetWeights(model.initialize(1));
    const other = make().model.initialize(2);
    const report = loadDarknetBackbone(other, file.subarray(0, 20 + 4 * (LAYERS[0] + LAYERS[1])), 'small.3');
    expect(report.layers).toBe(3);
    expect(report.kept).toEqual(['3.connected_3.weight', '3.connected_3.bias']);
    expect(report.loaded).toContain('2.connected_2.weight');
    const [was, is] = [await stateDict(model), await stateDict(other)];
    for (const name of report.loaded) expect(is.get(name)!.data, name).toEqual(was.get(name)!.data);
    for (const name of report.kept) expect(is.get(name)!.data, name).not.toEqual(was.get(name)!.data);
    for (const net of [model, other]) net.dispose();
  });
});

describe('published backbones and names', () => {
  test('darknet53.conv.74 covers the first 75 layers of YOLOv3, whatever its classes', () => {
    const backbone = darknet53().network;
    const layers = backbone.layers.slice(0, 75).flatMap(({ weighted }) => (weighted ? [...weighted.state()] : []));
    const values = layers.reduce((sum, [, state]) => sum + ('size' in state ? state.size : 0), 0);
    expect(20 + 4 * values).toBe(162_482_580); // as published
    const file = filledFile(backbone, 1).subarray(0, 20 + 4 * values);
    const { layers: covered, tensors } = readDarknetWeights(file, yolov3({ numClasses: 3 }).network, 'darknet53.conv.74');
    expect(covered).toBe(75);
    expect([...tensors.keys()].at(-1)).toBe('73.conv_73.weight');
  });

  test('yolov4.conv.137 and yolov4-tiny.conv.29 are as long as published', () => {
    const bytes = ({ network }: DarknetDetector, count: number): number =>
      20 +
      4 *
        network.layers
          .slice(0, count)
          .flatMap(({ weighted }) => (weighted ? [...weighted.state()] : []))
          .reduce((sum, [, s]) => sum + ('size' in s ? s.size : 0), 0);
    expect([bytes(yolov4(), 137), bytes(yolov4Tiny(), 29)]).toEqual([170_038_676, 19_789_716]);
  });

  test('a file of a net for other classes tells their number by its length', async () => {
    const before = memory().numTensors;
    const own = yolov3Tiny({ numClasses: 3 }).initialize();
    const bytes = await encodeDarknetWeights(own);
    own.dispose();
    const { tensors } = yolov3Tiny.decodeWeights!(bytes, 'own.weights');
    expect(tensors.get('15.conv_15.weight')!.shape).toEqual([24, 512, 1, 1]);
    expect(failure(() => yolov3Tiny.decodeWeights!(bytes.subarray(0, bytes.length - 4), 'own.weights'))).toContain(
      'the whole net takes 35434956 bytes',
    );
    expect(memory().numTensors).toBe(before);
  });

  test("the names of candle's YOLOv3 load as they are, from safetensors", async () => {
    const model = yolov3Tiny().initialize();
    const tensors = new Map([...(await stateDict(model))].filter(([name]) => !name.endsWith('num_batches_tracked')));
    expect([...tensors.keys()].slice(0, 2)).toEqual(['0.conv_0.weight', '0.batch_norm_0.weight']);
    const bytes = encodeSafetensors(tensors);
    expect([...yolov3Tiny.decodeWeights!(bytes, 'yolo.safetensors').tensors.keys()]).toEqual([
      ...decodeSafetensors(bytes).tensors.keys(),
    ]);
    model.dispose();
  });

  test('a net for other classes has other heads alone', () => {
    const shapes = (model: DarknetDetector | DarknetClassifier) =>
      new Map([...model.state()].map(([name, { shape }]) => [name, String(shape)]));
    const [published, own] = [shapes(yolov3Tiny()), shapes(yolov3Tiny({ numClasses: 2 }))];
    const changed = [...published].filter(([name, shape]) => own.get(name) !== shape).map(([name]) => name);
    expect(changed).toEqual(['15.conv_15.weight', '15.conv_15.bias', '22.conv_22.weight', '22.conv_22.bias']);
    expect(own.get('15.conv_15.weight')).toBe('21,512,1,1');
    expect(yolov3Tiny().heads).toEqual(['15', '22']);
  });
});

describe.runIf(sharedDir)('published nets', () => {
  const folder = join(sharedDir ?? '', 'data/weights/darknet');
  test.each([
    ['MobileNetV2-YOLOv3-Nano-coco', 'MobileNetV2-YOLOv3-Nano-coco.weights'],
    ['yolo-fastest-1.1', 'yolo-fastest-1.1.weights'],
    ['yolo-lite-coco-trial6', 'yolo-lite-coco-trial6_653550.weights'],
  ])('%s is written as it was read, byte by byte', async (name, file) => {
    const factory = fromConfig(readFileSync(join(folder, `${name}.cfg`), 'utf8'), name);
    const bytes = readFileSync(join(folder, file));
    const model = (await factory.pretrained(join(folder, file))) as unknown as DarknetDetector;
    expect(Buffer.compare(await encodeDarknetWeights(model, readDarknetHeader(bytes, file)), bytes)).toBe(0);
    model.dispose();
  });
});
