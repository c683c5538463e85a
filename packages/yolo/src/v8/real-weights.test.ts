import { existsSync, readFileSync } from 'node:fs';
import { decodeSafetensors, inference, selectBackend, stateDict } from '@convkit/core';
import type { Detection } from '@convkit/core/detection';
import { readImage } from '@convkit/core/node';
import { goldenBackend, sharedDir } from '@convkit/model-tests';
import { memory, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asReference } from './goldens.test-util.js';
import { yolov8n } from './variants.js';
import type { YoloV8 } from './yolov8.js';

const data = `${sharedDir}/data`;

interface Reference {
  cls: string;
  conf: number;
  box: number[];
}

// The published weights are AGPL: they are not part of the project, but may lie beside the checkout.
describe.runIf(existsSync(`${data}/weights/yolov8n.safetensors`))('with the published weights', () => {
  let model: YoloV8;
  let before: number;

  beforeAll(async () => {
    await selectBackend(goldenBackend);
    before = memory().numTensors;
    model = await yolov8n.pretrained(`${data}/weights/yolov8n.safetensors`);
  });
  afterAll(() => {
    model.dispose();
    expect(memory().numTensors, 'tensors left in memory').toBe(before);
  });

  test("yolov8n gives PyTorch's output for the same input: boxes within 0.005 pixels, scores within 1e-5", async () => {
    const { tensors } = decodeSafetensors(readFileSync(`${data}/weights/ref_yolov8n_bus.safetensors`));
    const pixels = tensors.get('input_rgb_u8_hwc')!.data as Uint8Array;
    const expected = tensors.get('output')!.data as Float32Array;
    const x = tensor4d(
      Float32Array.from(pixels, (value) => value / 255),
      [1, 640, 640, 3],
    );
    const output = tidy(() => asReference(model.forward(x, inference), [1, 3, 640, 640])['output']);
    const values = (await output.data()) as Float32Array;
    for (const tensor of [x, output]) tensor.dispose();
    const worst = (begin: number, end: number): number =>
      values.slice(begin, end).reduce((most, value, i) => Math.max(most, Math.abs(value - expected[begin + i])), 0);
    expect(values.length).toBe(expected.length);
    expect(worst(0, 4 * 8400)).toBeLessThan(5e-3);
    expect(worst(4 * 8400, values.length)).toBeLessThan(1e-5);
  });

  const references = existsSync(data)
    ? (JSON.parse(readFileSync(`${data}/images/yolov8n_detections_letterbox640_conf0.25_iou0.7.json`, 'utf8')) as Record<
        string,
        Reference[]
      >)
    : {};

  test.each(Object.entries(references))('yolov8n finds what the reference finds in %s', async (name, expected) => {
    expectDetections(await model.detect(await readImage(`${data}/images/${name}.jpg`)), expected);
  });

  test('the official file, a module that was saved whole, gives the same boxes and the names of the classes', async () => {
    const own = await yolov8n.pretrained(`${data}/weights/yolov8n.pt`);
    expect(own.classes).toEqual(model.classes);
    expect(own.origin).toMatchObject({ loaded: 355, fresh: [] });
    const [image, options] = [await readImage(`${data}/images/bus.jpg`), { confidence: 0.1 }];
    expect(await own.detect(image, options)).toEqual(await model.detect(image, options));
    own.dispose();
  });

  test('for other classes every weight but those of the class branches is the published one', async () => {
    const source = `${data}/weights/yolov8n.safetensors`;
    const own = await yolov8n.pretrained(source, { numClasses: 3, classes: ['a', 'b', 'c'] });
    const branches = [...own.state()].filter(([name]) => name.startsWith('model.22.cv3.')).map(([name]) => name);
    expect([...own.origin.fresh]).toEqual(branches);
    const [ours, published] = [await stateDict(own), await stateDict(model)];
    for (const name of ['model.0.conv.weight', 'model.21.cv2.bn.running_var', 'model.22.cv2.0.2.bias']) {
      expect(ours.get(name)).toEqual(published.get(name));
    }
    expect([...ours.keys()]).toEqual([...published.keys()]);
    own.dispose();
  });
});

function expectDetections(found: readonly Detection[], expected: readonly Reference[]): void {
  expect(found.map(({ label }) => label)).toEqual(expected.map(({ cls }) => cls));
  for (const [i, { conf, box }] of expected.entries()) {
    expect(Math.abs(found[i].score - conf)).toBeLessThan(0.005);
    for (const [side, value] of box.entries()) expect(Math.abs(found[i].box[side] - value)).toBeLessThan(1);
  }
}
