import { Random, selectBackend } from '@convkit/core';
import { type DetectionLabels, type ObjectLabels, gradientStep } from '@convkit/core/train';
import { type FillRule, fillInput, fillModel, sharedDir } from '@convkit/model-tests';
import { tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { anchorPoints } from '../v8/output.js';
import { YoloV8 } from '../v8/yolov8.js';
import { assignTaskAligned } from './task-aligned.js';
import { yoloV8Components, yoloV8Loss } from './v8-loss.js';
import { yoloV8Targets } from './v8-targets.js';

/** A training step of the reference implementation; see the file's comment. */
interface LossGolden {
  input_shape: [number, number, number, number];
  fill_rules: FillRule[];
  loss: number;
  components: Record<string, number>;
  targets: {
    batch_idx: number[];
    cls: number[];
    bboxes_xywh_normalised: number[][];
    keypoints?: number[];
    masks?: string;
  };
  assignment?: {
    num_positive: number;
    target_scores_sum: number;
    positives: [image: number, anchor: number, object: number, label: number, score: number][];
  };
  grad_l2: Record<string, number>;
}

const readGolden = (name: string): LossGolden =>
  JSON.parse(readFileSync(new URL(`__fixtures__/${name}-loss.json`, import.meta.url), 'utf8')) as LossGolden;

function labelsOf({ targets, input_shape }: LossGolden): DetectionLabels {
  const [length, , height, width] = input_shape;
  const objects = Array.from({ length }, (_, image): ObjectLabels => {
    const own = targets.batch_idx.flatMap((of, i) => (of === image ? [i] : []));
    const boxes = own.flatMap((i) => {
      const [x, y, w, h] = targets.bboxes_xywh_normalised[i];
      return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height];
    });
    const keypoints = targets.keypoints && own.flatMap((i) => targets.keypoints!.slice(i * 51, (i + 1) * 51));
    const pixels = (height / 4) * (width / 4);
    return {
      boxes: Float32Array.from(boxes),
      classes: Int32Array.from(own, (i) => targets.cls[i]),
      ...(keypoints && { keypoints: Float32Array.from(keypoints, (v, i) => v * [width, height, 1][i % 3]) }),
      ...(targets.masks && { mask: Uint16Array.from(targets.masks.slice(image * pixels, (image + 1) * pixels), Number) }),
    };
  });
  return { length, inputSize: [height, width], objects };
}

const nano = { depth: 1 / 3, width: 0.25, maxChannels: 1024 };
const preprocessing = { size: 640, mean: [0, 0, 0], std: [1, 1, 1] } as const;
const taskOf = { yolov8n: 'detect', 'yolov8n-seg': 'segment', 'yolov8n-pose': 'pose' } as const;

beforeAll(() => selectBackend('wasm'));

describe.each(['yolov8n', 'yolov8n-seg', 'yolov8n-pose'] as const)('%s', (name) => {
  const golden = readGolden(name);
  const labels = labelsOf(golden);
  const [n, c, h, w] = golden.input_shape;
  const model = new YoloV8({
    scale: nano,
    task: taskOf[name],
    numClasses: name === 'yolov8n-pose' ? 1 : 80,
    keypoints: 17,
    preprocessing: { ...preprocessing },
  });
  beforeAll(() => fillModel(model.initialize(), golden.fill_rules));
  const input = () => tensor4d(fillInput([n, c, h, w], { unit: true }), [n, h, w, c]);

  test('the loss and its gradients are the reference’s', async () => {
    const x = input();
    const step = gradientStep(model, x, labels, yoloV8Loss(), { training: true, random: new Random(0) });
    const [loss] = await step.loss.data();
    expect(Math.abs(loss / golden.loss - 1)).toBeLessThan(1e-4);
    expect([...step.gradients.keys()].sort()).toEqual(Object.keys(golden.grad_l2).sort());
    for (const [parameter, gradient] of step.gradients) {
      const norm = Math.sqrt(((await gradient.data()) as Float32Array).reduce((sum, value) => sum + value * value, 0));
      const expected = golden.grad_l2[parameter]; // 0 on levels without positive anchor points
      expect(Math.abs(norm - expected), parameter).toBeLessThanOrEqual(2e-3 * expected + 1e-9);
    }
    step.dispose();
    x.dispose();
  });

  test('each part of the loss is the reference’s', () => {
    // The gradient step before has moved the running statistics, which training does not use.
    tidy(() => {
      const components = yoloV8Components(model.forward(input(), { training: true, random: new Random(0) }), labels);
      expect(Object.keys(components).sort()).toEqual(Object.keys(golden.components).sort());
      for (const [part, expected] of Object.entries(golden.components)) {
        expect(Math.abs(components[part].dataSync()[0] / expected - 1), part).toBeLessThan(1e-4);
      }
    });
  });

  test.runIf(golden.assignment)('the assignment is the reference’s', () => {
    const { positives, target_scores_sum, num_positive } = golden.assignment!;
    tidy(() => {
      const output = model.forward(input(), { training: true, random: new Random(0) });
      const targets = yoloV8Targets(output, labels, anchorPoints(h, w));
      const found = targets.assignments.flatMap(({ object }, image) =>
        [...object.entries()]
          .filter(([, i]) => i >= 0)
          .map(([anchor, i]) => [image, anchor, i, labels.objects[image].classes[i]]),
      );
      expect(found.length).toBe(num_positive);
      expect(found).toEqual(positives.map((row) => row.slice(0, 4)));
      for (const [image, anchor, , , score] of positives) {
        expect(targets.assignments[image].score[anchor]).toBeCloseTo(score, 4);
      }
      expect(targets.total).toBeCloseTo(target_scores_sum, 3);
    });
  });
});

describe.runIf(process.env.CONVKIT_ALL_GOLDENS && sharedDir)('beside the checkout', () => {
  test.each([
    ['yolov8s', { depth: 1 / 3, width: 0.5, maxChannels: 1024 }],
    ['yolov8l', { depth: 1, width: 1, maxChannels: 512 }],
    ['yolov8n_spec', nano],
  ])('the loss of %s is the reference’s', { timeout: 300_000 }, (name, scale) => {
    const whole = JSON.parse(readFileSync(`${sharedDir}/goldens/yolov8/${name}.json`, 'utf8')) as {
      fill_rules: FillRule[];
      train: LossGolden;
    };
    const { train } = whole;
    const [n, c, h, w] = train.input_shape;
    const model = new YoloV8({ scale, task: 'detect', numClasses: 80, keypoints: 0, preprocessing: { ...preprocessing } });
    fillModel(model.initialize(), whole.fill_rules);
    tidy(() => {
      const x = tensor4d(fillInput([n, c, h, w], { unit: true }), [n, h, w, c]);
      const components = yoloV8Components(model.forward(x, { training: true, random: new Random(0) }), labelsOf(train));
      for (const [part, expected] of Object.entries(train.components)) {
        expect(Math.abs(components[part].dataSync()[0] / expected - 1), part).toBeLessThan(2e-4);
      }
    });
    model.dispose();
  });
});

test('images without objects train the class scores alone', () => {
  tidy(() => {
    const { count } = anchorPoints(32, 32);
    const none: ObjectLabels = { boxes: new Float32Array(0), classes: new Int32Array(0) };
    const labels = { length: 2, inputSize: [32, 32], objects: [none, none] } as const;
    const boxes = tensor(
      new Float32Array(2 * count * 4).map((_, i) => (i % 4 < 2 ? 0 : 8)),
      [2, count, 4],
    );
    const zeros = (channels: number) => tensor(new Float32Array(2 * count * channels), [2, count, channels]) as never;
    const output = { boxes: boxes as never, scores: zeros(3), raw: { distances: zeros(64), classes: zeros(3) } };
    const { box, cls, dfl } = yoloV8Components(output, labels);
    expect(Math.abs(box.dataSync()[0]) + Math.abs(dfl.dataSync()[0])).toBe(0);
    expect(cls.dataSync()[0]).toBeCloseTo(0.5 * 2 * count * 3 * Math.LN2, 2);
  });
});

test('an anchor point that two objects claim goes to the one that its prediction overlaps most', () => {
  const anchors = anchorPoints(32, 32); // 16 + 4 + 1 points
  const boxes = new Float32Array(21 * 4).map((_, i) => [0, 0, 30, 32][i % 4]);
  const scores = new Float32Array(21).fill(0.5);
  const objects = { boxes: Float32Array.of(0, 0, 30, 32, 0, 0, 12, 12), classes: Int32Array.of(0, 0) };
  const { object, score } = assignTaskAligned({ boxes, scores }, anchors, objects, { topk: 25 });
  expect(new Set(object)).toEqual(new Set([0]));
  expect(score[0]).toBeCloseTo(1, 5);
});

test('labels that the net has no class for are refused', () => {
  tidy(() => {
    const { count } = anchorPoints(32, 32);
    const zeros = (channels: number) => tensor(new Float32Array(count * channels), [1, count, channels]) as never;
    const output = { boxes: zeros(4), scores: zeros(3), raw: { distances: zeros(64), classes: zeros(3) } };
    const objects = [{ boxes: Float32Array.of(0, 0, 8, 8), classes: Int32Array.of(3) }];
    expect(() => yoloV8Components(output, { length: 1, inputSize: [32, 32], objects })).toThrow(
      'Image 0 of the batch has an object of class 3; the net has 0 … 2.',
    );
    expect(() => yoloV8Components(output, { length: 1, inputSize: [64, 32], objects })).toThrow('42 anchor points');
  });
});
