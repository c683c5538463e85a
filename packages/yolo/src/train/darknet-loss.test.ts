import { Random, selectBackend } from '@convkit/core';
import type { DetectionLabels } from '@convkit/core/train';
import '@convkit/core/train';
import { type Tensor, grads, tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import type { HeadConfig, YoloConfig } from '../darknet/config.js';
import type { Head } from '../darknet/network.js';
import { darknetComponents, darknetLoss } from './darknet-loss.js';

const anchors = [
  [10, 14],
  [23, 27],
  [37, 58],
  [81, 82],
] as const;

const config = (mask: readonly number[], changes: Partial<YoloConfig> = {}): YoloConfig => ({
  ...{
    kind: 'yolo',
    line: 1,
    classes: 3,
    mask,
    anchors,
    scaleXY: 1,
    newCoords: false,
    ignoreThreshold: 0.5,
    diouBeta: undefined,
  },
  loss: { boxes: 'mse', anchorThreshold: 1, weights: { box: 1, object: 1, class: 1 } },
  ...changes,
});

const head = (own: HeadConfig, stride: number, index = 0): Head => ({ config: own, stride, index });

/** Two images of 96 × 64 pixels: objects of different sizes, two in one cell, and one image with a single object. */
const labels: DetectionLabels = {
  length: 2,
  inputSize: [64, 96],
  objects: [
    { boxes: Float32Array.of(3, 5, 15, 20, 40, 8, 88, 60, 41, 9, 87, 61), classes: Int32Array.of(2, 0, 1) },
    { boxes: Float32Array.of(50.5, 20, 76, 49), classes: Int32Array.of(1) },
  ],
};

/** Logits of a map [2, h, w, A · 8] around 0, the boxes of some rows pulled onto objects so that rows are ignored. */
function drawMap(stride: number, own: YoloConfig, seed: number): Float32Array {
  const random = new Random(seed);
  const [h, w] = [64 / stride, 96 / stride];
  return Float32Array.from({ length: 2 * h * w * own.mask.length * 8 }, () => random.uniform(-1, 1));
}

interface Parts {
  box: number;
  object: number;
  class: number;
}

/** Σ max(x, 0) − x · t + log(1 + e^−|x|), in float64. */
const entropy = (x: number, t: number): number => Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x)));
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Object by object and row by row from the paper's words, without regard to speed; it shares no code with the loss. */
function reference(map: Float32Array, own: YoloConfig, stride: number): Parts {
  const [h, w] = [64 / stride, 96 / stride];
  const count = own.mask.length;
  const parts: Parts = { box: 0, object: 0, class: 0 };
  labels.objects.forEach(({ boxes, classes }, image) => {
    const truths = [...classes].map((label, i) => {
      const [x1, y1, x2, y2] = boxes.slice(4 * i, 4 * i + 4);
      const shape = anchors.map(([aw, ah]) => {
        const shared = Math.min(aw, x2 - x1) * Math.min(ah, y2 - y1);
        return shared / (aw * ah + (x2 - x1) * (y2 - y1) - shared);
      });
      const owners = own.mask.filter((a) => shape[a] === Math.max(...shape) || shape[a] > own.loss.anchorThreshold);
      return { label, x1, y1, x2, y2, owners, cx: (x1 + x2) / 2 / stride, cy: (y1 + y2) / 2 / stride };
    });
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        own.mask.forEach((anchor, a) => {
          const at = (((image * h + y) * w + x) * count + a) * 8;
          const [tx, ty, tw, th, to, ...tc] = map.slice(at, at + 8);
          const s = own.scaleXY;
          const cx = (x + s * logistic(tx) - (s - 1) / 2) * stride;
          const cy = (y + s * logistic(ty) - (s - 1) / 2) * stride;
          const [bw, bh] = [anchors[anchor][0] * Math.exp(tw), anchors[anchor][1] * Math.exp(th)];
          const mine = truths.filter((t) => Math.floor(t.cx) === x && Math.floor(t.cy) === y && t.owners.includes(anchor));
          const iouWith = (t: (typeof truths)[number]): number => {
            const sx = Math.max(0, Math.min(cx + bw / 2, t.x2) - Math.max(cx - bw / 2, t.x1));
            const sy = Math.max(0, Math.min(cy + bh / 2, t.y2) - Math.max(cy - bh / 2, t.y1));
            return (sx * sy) / (bw * bh + (t.x2 - t.x1) * (t.y2 - t.y1) - sx * sy);
          };
          const last = mine.at(-1);
          if (!last) {
            if (truths.every((t) => iouWith(t) <= own.ignoreThreshold)) parts.object += entropy(to, 0);
            return;
          }
          const [tw0, th0] = [last.x2 - last.x1, last.y2 - last.y1];
          parts.object += entropy(to, 1);
          tc.forEach((logit, c) => (parts.class += entropy(logit, mine.some((t) => t.label === c) ? 1 : 0)));
          if (own.loss.boxes === 'iou') {
            parts.box += 1 - iouWith(last);
            return;
          }
          const scale = 2 - (tw0 / 96) * (th0 / 64);
          const squares = (tw - Math.log(tw0 / anchors[anchor][0])) ** 2 + (th - Math.log(th0 / anchors[anchor][1])) ** 2;
          parts.box += scale * (entropy(tx, last.cx - x) + entropy(ty, last.cy - y) + squares / 2);
        });
      }
    }
  });
  const { weights } = own.loss;
  return {
    box: (parts.box * weights.box) / 2,
    object: (parts.object * weights.object) / 2,
    class: (parts.class * weights.class) / 2,
  };
}

const partsOf = (parts: Parts): number[] => [parts.box, parts.object, parts.class];

const mapOf = (values: Float32Array, stride: number): Tensor =>
  tensor4d(values, [2, 64 / stride, 96 / stride, values.length / (2 * (64 / stride) * (96 / stride))]);

beforeAll(() => selectBackend('cpu'));

describe.each<[string, YoloConfig, number]>([
  ['the coarse head of YOLOv3', config([2, 3]), 32],
  ['the fine head of YOLOv3', config([0, 1]), 16],
  [
    'weights of the parts',
    config([2, 3], { loss: { boxes: 'mse', anchorThreshold: 1, weights: { box: 0.07, object: 2, class: 0.5 } } }),
    32,
  ],
  [
    'overlap as the loss, several anchors an object',
    config([0, 1], {
      scaleXY: 1.2,
      ignoreThreshold: 0.3,
      loss: { boxes: 'iou', anchorThreshold: 0.213, weights: { box: 0.75, object: 1, class: 1 } },
    }),
    16,
  ],
])('%s', (_, own, stride) => {
  const values = drawMap(stride, own, 3);

  test('has the parts that the papers’ words give in float64', () => {
    const expected = reference(values, own, stride);
    tidy(() => {
      const parts = darknetComponents([mapOf(values, stride)], [head(own, stride)], labels);
      for (const part of ['box', 'object', 'class'] as const) {
        expect(expected[part], part).toBeGreaterThan(0);
        expect(Math.abs(parts[part].dataSync()[0] / expected[part] - 1), part).toBeLessThan(1e-5);
      }
    });
  });

  test('has the gradient that differences of the float64 reference give', () => {
    const total = (map: Float32Array): number => partsOf(reference(map, own, stride)).reduce((a, b) => a + b);
    const gradient = tidy(() => {
      const [tensor] = grads((map: Tensor) => darknetLoss([head(own, stride)])([map], labels))([mapOf(values, stride)]);
      return Array.from(tensor.dataSync());
    });
    const largest = Math.max(...gradient.map(Math.abs));
    for (let i = 0; i < values.length; i += 7) {
      const [up, down] = [values.slice(), values.slice()];
      up[i] += 1e-3;
      down[i] -= 1e-3;
      const numeric = (total(up) - total(down)) / (up[i] - down[i]);
      expect(Math.abs(gradient[i] - numeric) / largest, `logit ${i}`).toBeLessThan(1e-3);
    }
  });
});

test('the loss of several heads is their sum', () => {
  const [coarse, fine] = [config([2, 3]), config([0, 1])];
  const maps = [drawMap(32, coarse, 1), drawMap(16, fine, 2)];
  const expected = [reference(maps[0], coarse, 32), reference(maps[1], fine, 16)].flatMap((parts) => partsOf(parts));
  tidy(() => {
    const loss = darknetLoss([head(coarse, 32), head(fine, 16)])([mapOf(maps[0], 32), mapOf(maps[1], 16)], labels);
    expect(loss.dataSync()[0]).toBeCloseTo(
      expected.reduce((a, b) => a + b),
      3,
    );
  });
});

test('images without objects train the objectness alone, empty boxes are no objects', () => {
  const empty: DetectionLabels = {
    ...{ length: 2, inputSize: [64, 96] },
    objects: [
      { boxes: new Float32Array(0), classes: new Int32Array(0) },
      { boxes: Float32Array.of(8, 8, 8, 8), classes: Int32Array.of(1) },
    ],
  };
  tidy(() => {
    const zeros = tensor(new Float32Array(2 * 2 * 3 * 16), [2, 2, 3, 16]);
    const parts = darknetComponents([zeros], [head(config([2, 3]), 32)], empty);
    expect([parts.box.dataSync()[0], parts.class.dataSync()[0]]).toEqual([0, 0]);
    expect(parts.object.dataSync()[0]).toBeCloseTo(12 * Math.LN2, 4);
  });
});

test('heads that cannot train and labels that do not fit are refused', () => {
  const region = { kind: 'region', line: 7, classes: 3, anchors, softmax: true } as const;
  expect(() => darknetLoss([head(region, 32, 31)])).toThrow('Layer 31, line 7: [region] can run but not train');
  expect(() => darknetLoss([head(config([0], { newCoords: true }), 32)])).toThrow('[yolo] with new_coords can run but not train');
  tidy(() => {
    const map = tensor(new Float32Array(2 * 2 * 3 * 16), [2, 2, 3, 16]);
    const loss = darknetLoss([head(config([2, 3]), 32)]);
    expect(() => loss([map], { ...labels, inputSize: [64, 64] })).toThrow('2 images of 64×64; the net gave 2 of 96×64');
    const wrong = [{ boxes: Float32Array.of(0, 0, 9, 9), classes: Int32Array.of(3) }, labels.objects[1]];
    expect(() => loss([map], { ...labels, objects: wrong })).toThrow(
      'Image 0 of the batch has an object of class 3; the net has 0 … 2.',
    );
  });
});
