/**
 * What `detect` of YOLOv8n at 640×640 adds to its net, on a photo of 810×1080 pixels and random weights, which find nothing. From
 * packages/onnx:
 *
 *   npx vitest bench --run --config ../../vitest.config.ts src/detect.bench.ts
 */
import { type Image, Random, predictWith, selectBackend } from '@convkit/core';
import { yolov8n } from '@convkit/yolo';
import { type Tensor, randomUniform } from '@tensorflow/tfjs-core';
import { bench, describe } from 'vitest';
import { registerOnnx } from './index.js';

registerOnnx();
const random = new Random(1);
const [width, height] = [810, 1080];
const photo: Image = { pixels: Uint8Array.from({ length: width * height * 3 }, () => random.uniform(0, 256)), width, height };

describe('YOLOv8n at 640×640', () => {
  const model = yolov8n().initialize(1);
  let x: Tensor;
  const options = { iterations: 40, warmupIterations: 10, time: 0, warmupTime: 0 };
  const setup = async () => {
    await selectBackend('onnx');
    x = randomUniform([1, 640, 640, 3], 0, 1, 'float32', 1);
  };
  bench(
    'the net',
    async () => {
      const { boxes, scores } = predictWith(model, 'proposals', (images) => ({ ...model.propose(images) }), x);
      await Promise.all([boxes.data(), scores.data()]);
      boxes.dispose();
      scores.dispose();
    },
    { ...options, setup },
  );
  bench('detect', async () => void (await model.detect(photo)), { ...options, setup });
});
