import { selectBackend } from '@convkit/core';
import { ciou, diou, giou, iou } from '@convkit/core/detection';
import '@convkit/core/train';
import { type Tensor, grads, sub, sum, tensor, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { binaryCrossEntropy, distributionFocalLoss, overlapOf } from './box-losses.js';

const golden = JSON.parse(readFileSync(new URL('__fixtures__/overlap-losses.json', import.meta.url), 'utf8')) as {
  boxes: number[][];
  boxes2: number[][];
  losses: Record<'giou' | 'diou' | 'ciou', { none: number[]; gradient: number[][] }>;
};

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(() => selectBackend(backend));

  test.each(['giou', 'diou', 'ciou'] as const)('%s and its gradient are those of torchvision', (kind) => {
    tidy(() => {
      const [a, b] = [tensor2d(golden.boxes), tensor2d(golden.boxes2)];
      const values = sub(1, overlapOf(a, b, kind)).dataSync();
      golden.losses[kind].none.forEach((expected, i) => expect(values[i]).toBeCloseTo(expected, 4));
      const [gradient] = grads((x: Tensor) => sum(sub(1, overlapOf(x, b, kind))))([a]);
      const found = gradient.dataSync();
      golden.losses[kind].gradient.flat().forEach((expected, i) => expect(found[i]).toBeCloseTo(expected, 5));
    });
  });

  test.each([
    ['iou', iou],
    ['giou', giou],
    ['diou', diou],
    ['ciou', ciou],
  ] as const)('%s of pairs is that of single boxes', (kind, single) => {
    const values = tidy(() => overlapOf(tensor2d(golden.boxes), tensor2d(golden.boxes2), kind).dataSync());
    golden.boxes.forEach((box, i) => expect(values[i]).toBeCloseTo(single(box, golden.boxes2[i]), 5));
  });

  test('boxes without area have an overlap and a gradient', () => {
    tidy(() => {
      const [point, box] = [tensor2d([[5, 5, 5, 5]]), tensor2d([[0, 0, 8, 8]])];
      for (const kind of ['iou', 'giou', 'diou', 'ciou'] as const) {
        const [gradient] = grads((x: Tensor) => sum(overlapOf(x, box, kind)))([point]);
        expect([...overlapOf(point, box, kind).dataSync(), ...gradient.dataSync()].every(Number.isFinite), kind).toBe(true);
      }
    });
  });

  test('the distribution focal loss shares a distance among its two bins', () => {
    tidy(() => {
      const logits = Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)); // 4 sides of 4 bins
      const [distances, weights] = [tensor([0, 1.25, 2.5, 3], [1, 1, 4]), tensor([0.8], [1, 1, 1])];
      const loss = (x: Tensor) => distributionFocalLoss(x, distances, weights, 4);
      const value = (values: Float32Array): number => {
        const log = (side: number, bin: number): number =>
          values[side * 4 + bin] - Math.log([0, 1, 2, 3].reduce((total, i) => total + Math.exp(values[side * 4 + i]), 0));
        const sides = [log(0, 0), 0.75 * log(1, 1) + 0.25 * log(1, 2), 0.5 * log(2, 2) + 0.5 * log(2, 3), log(3, 3)];
        return (-0.8 / 4) * sides.reduce((a, b) => a + b);
      };
      const x = tensor(logits, [1, 1, 16]);
      expect(loss(x).dataSync()[0]).toBeCloseTo(value(logits), 5);
      const gradient = grads(loss)([x])[0].dataSync();
      for (let i = 0; i < 16; i++) {
        const [up, down] = [logits.slice(), logits.slice()];
        up[i] += 1e-2;
        down[i] -= 1e-2;
        expect(gradient[i]).toBeCloseTo((value(up) - value(down)) / 2e-2, 4);
      }
    });
  });

  test('cross entropy does not overflow', () => {
    tidy(() => {
      const [x, t] = [tensor([-200, 0, 200]), tensor([1, 0.5, 0])];
      expect([...binaryCrossEntropy(x, t).dataSync()]).toEqual([200, Math.fround(Math.LN2), 200]);
      expect([...grads((logits: Tensor) => sum(binaryCrossEntropy(logits, t)))([x])[0].dataSync()]).toEqual([-1, 0, 1]);
    });
  });
});
