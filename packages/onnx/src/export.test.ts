import { type Module, selectBackend } from '@convkit/core';
import { densenet100K12Bc } from '@convkit/densenet';
import { efficientnetB0, tfEfficientnetB0 } from '@convkit/efficientnet';
import { googlenet } from '@convkit/inception';
import {
  mobilenetV1_025,
  mobilenetV2,
  mobilenetV3Small,
  mobilenetV4ConvSmall,
  mobilenetV4HybridMedium,
} from '@convkit/mobilenet';
import { resnet8, resnet18, resnet18d, seresnet50 } from '@convkit/resnet';
import { vgg11, vgg11BnCifar } from '@convkit/vgg';
import { yolov3Tiny, yolov8n, yolov8nPose, yolov8nSeg } from '@convkit/yolo';
import { type Tensor, memory, randomUniform } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ExportOptions, exportOnnx, registerOnnx } from './index.js';
import { type FileOutput, runFile, runNet } from './run-file.js';

beforeAll(async () => {
  registerOnnx();
  await selectBackend('onnx');
});

const images = (shape: [number, number, number, number]): Tensor => randomUniform(shape, 0, 1, 'float32', 3);

function expectSame(found: Record<string, FileOutput>, expected: Record<string, FileOutput>, tolerance: number): void {
  for (const [name, { dims, values }] of Object.entries(expected)) {
    expect(found[name].dims, name).toEqual(dims);
    const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - found[name].values[i])), 0);
    expect(worst, name).toBeLessThan(tolerance * scale);
  }
}

const nets: Record<string, [create: () => Module<unknown>, side: number]> = {
  resnet8: [() => resnet8(), 32],
  resnet18: [() => resnet18({ numClasses: 5 }), 64],
  seresnet50: [() => seresnet50({ numClasses: 5 }), 64],
  vgg11_bn_cifar: [() => vgg11BnCifar(), 32],
  densenet100_k12_bc: [() => densenet100K12Bc(), 32],
  googlenet: [() => googlenet({ numClasses: 5 }), 64],
  efficientnet_b0: [() => efficientnetB0({ numClasses: 5 }), 64],
  mobilenetv1_025: [() => mobilenetV1_025({ numClasses: 5 }), 64],
  mobilenet_v2: [() => mobilenetV2({ numClasses: 5 }), 64],
  mobilenet_v3_small: [() => mobilenetV3Small({ numClasses: 5 }), 64],
  mobilenetv4_conv_small: [() => mobilenetV4ConvSmall({ numClasses: 5 }), 64],
  mobilenetv4_hybrid_medium: [() => mobilenetV4HybridMedium({ numClasses: 5 }), 64],
  yolov3_tiny: [() => yolov3Tiny(), 64],
  yolov8n: [() => yolov8n(), 64],
  yolov8n_seg: [() => yolov8nSeg(), 64],
  yolov8n_pose: [() => yolov8nPose(), 64],
};

describe.each(Object.entries(nets))('%s', (_, [create, side]) => {
  test('gives in ONNX Runtime what it gives here, for any batch', () => {
    const model = create();
    model.initialize(1);
    const before = memory().numTensors;
    const options: ExportOptions = { size: [side, side] };
    const file = exportOnnx(model, options);
    expect(Buffer.from(file).includes('com.microsoft'), 'operators outside of ONNX').toBe(false);
    for (const n of [1, 3]) {
      const x = images([n, side, side, 3]);
      const expected = runNet(model, x);
      expectSame(runFile(file, x, Object.keys(expected)), expected, 1e-4);
      x.dispose();
    }
    expect(memory().numTensors).toBe(before);
    model.dispose();
  });
});

// Odd sides, TensorFlow's padding, rounding up, means of partial windows, attention: what a size can show in.
test.each<[name: string, create: () => Module<unknown>]>([
  ['resnet8', () => resnet8()],
  ['resnet18', () => resnet18({ numClasses: 5 })],
  ['resnet18d', () => resnet18d({ numClasses: 5 })],
  ['tf_efficientnet_b0', () => tfEfficientnetB0({ numClasses: 5 })],
  ['googlenet', () => googlenet({ numClasses: 5 })],
  ['mobilenetv4_hybrid_medium', () => mobilenetV4HybridMedium({ numClasses: 5 })],
])('%s: an open size takes images of any', (_, create) => {
  const model = create();
  model.initialize(1);
  const file = exportOnnx(model, { size: 'any' });
  for (const [n, height, width] of [
    [1, 64, 96],
    [2, 99, 74],
  ]) {
    const x = images([n, height, width, 3]);
    expectSame(runFile(file, x, ['logits']), runNet(model, x), 1e-4);
    x.dispose();
  }
  model.dispose();
});

test('refuses an open size where the net depends on it', () => {
  for (const [create, reason] of [
    [() => vgg11({ numClasses: 5 }), /does not take inputs of other sizes/],
    [() => yolov8n(), /does not take images of every size: fix it. .*multiples of 32/],
  ] as const) {
    const model = create();
    model.initialize(1);
    expect(() => exportOnnx(model, { size: 'any' })).toThrow(reason);
    model.dispose();
  }
});

test('stores weights in half the size, and in a quarter', () => {
  const model = resnet8();
  model.initialize(1);
  const whole = exportOnnx(model, {});
  const x = images([4, 32, 32, 3]);
  const expected = runNet(model, x);
  const half = exportOnnx(model, { weights: 'float16' });
  expect(half.length).toBeLessThan(0.6 * whole.length);
  expectSame(runFile(half, x, ['logits']), expected, 1e-2);
  const quarter = exportOnnx(model, { weights: 'int8' });
  expect(quarter.length).toBeLessThan(0.4 * whole.length);
  expectSame(runFile(quarter, x, ['logits']), expected, 0.1);
  x.dispose();
  model.dispose();
});

test('suppresses boxes inside of the file', () => {
  const model = yolov8n({ numClasses: 3 });
  model.initialize(1);
  const file = exportOnnx(model, { size: [64, 64], nms: { confidence: 0, iou: 0.5, maxDetections: 10 } });
  const x = images([2, 64, 64, 3]);
  const { detections, boxes, scores } = runFile(file, x, ['detections', 'boxes', 'scores']);
  expect(detections.dims).toEqual([10, 7]);
  const rows = Array.from({ length: 10 }, (_, i) => [...detections.values.subarray(7 * i, 7 * i + 7)]);
  const best = [...scores.values].sort((a, b) => b - a)[0];
  expect(rows[0][5]).toBeCloseTo(best, 6);
  for (const [i, [image, x1, , , , score, label]] of rows.entries()) {
    if (i > 0) expect(score).toBeLessThanOrEqual(rows[i - 1][5]);
    const [n, classes] = [boxes.dims[1], 3];
    const anchor = Array.from({ length: n }, (_, a) => a).find((a) => boxes.values[(image * n + a) * 4] === x1);
    expect(scores.values[(image * n + anchor!) * classes + label]).toBe(score);
  }
  x.dispose();
  model.dispose();
});
