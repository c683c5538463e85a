import '@tensorflow/tfjs-backend-cpu';
import './gradients.js';
import { type Scalar, type Tensor, memory, setBackend, tensor2d, tidy, valueAndGrad } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { bceWithLogits, crossEntropy } from './losses.js';

beforeAll(() => setBackend('cpu'));

const logits = [
  [1, -2, 0.5, 3],
  [80, -80, 0, 79],
  [0.1, 0.2, 0.3, 0.4],
];
const labels = Int32Array.of(2, 3, 0);

const logSoftmax = (row: number[]): number[] => {
  const top = Math.max(...row);
  const z = Math.log(row.reduce((s, x) => s + Math.exp(x - top), 0));
  return row.map((x) => x - top - z);
};

/** torch.nn.functional.cross_entropy, written from its documentation in float64. */
function reference(smoothing: number, weight = [1, 1, 1, 1], x = logits): number {
  let total = 0;
  let norm = 0;
  x.forEach((row, n) => {
    const logp = logSoftmax(row);
    norm += weight[labels[n]];
    total -= (1 - smoothing) * weight[labels[n]] * logp[labels[n]];
    logp.forEach((value, c) => (total -= (smoothing / 4) * weight[c] * value));
  });
  return total / norm;
}

/** Central differences of a function of the logits. */
function numericalGradient(f: (x: number[][]) => number): number[] {
  return logits.flatMap((row, n) =>
    row.map((_, c) => {
      const at = (h: number) => f(logits.map((r, i) => r.map((v, j) => (i === n && j === c ? v + h : v))));
      return (at(1e-5) - at(-1e-5)) / 2e-5;
    }),
  );
}

function measured(loss: (x: Tensor) => Scalar): { value: number; gradient: number[] } {
  return tidy(() => {
    const { value, grad } = valueAndGrad(loss)(tensor2d(logits));
    return { value: value.dataSync()[0], gradient: [...grad.dataSync()] };
  });
}

test.each([
  [0, undefined],
  [0.1, undefined],
  [1, undefined],
  [0, [1, 2, 0.5, 3]],
  [0.2, [1, 2, 0.5, 3]],
])('cross entropy with smoothing %d and weights %j has PyTorch’s value and its own derivative', (labelSmoothing, weight) => {
  const loss = crossEntropy({ labelSmoothing, weight });
  const { value, gradient } = measured((x) => loss(x, labels));
  expect(value / reference(labelSmoothing, weight)).toBeCloseTo(1, 6);
  const expected = numericalGradient((x) => reference(labelSmoothing, weight, x));
  gradient.forEach((g, i) => expect(g).toBeCloseTo(expected[i], 6));
});

test('a label outside the classes is an error that names it', () => {
  const x = tensor2d(logits);
  expect(() => crossEntropy()(x, Int32Array.of(0, 4, 0))).toThrow("label 4 is outside 0 … 3, the model's 4 classes");
  expect(() => crossEntropy()(x, Int32Array.of(0, -1, 0))).toThrow('label -1');
  expect(() => crossEntropy()(x, Int32Array.of(0))).toThrow('expected logits of [1, classes] for 1 labels, found [3,4]');
  expect(() => crossEntropy({ weight: [1] })(x, labels)).toThrow('expected a weight for each of 4 classes, found 1');
  expect(() => crossEntropy({ labelSmoothing: 2 })).toThrow('found 2');
});

test('a NaN logit makes the loss NaN', () => {
  const loss = tidy(() => crossEntropy()(tensor2d([[NaN, 1, 2]]), Int32Array.of(1)).dataSync()[0]);
  expect(loss).toBeNaN();
});

test('binary cross entropy has PyTorch’s value and its own derivative, and does not overflow', () => {
  const targets = Float32Array.from([1, 0, 0.25, 1, 1, 1, 0, 0, 0, 1, 0.5, 0]);
  const formula = (x: number[][]) =>
    x.flat().reduce((s, v, i) => s + Math.max(v, 0) - v * targets[i] + Math.log1p(Math.exp(-Math.abs(v))), 0) / 12;
  const { value, gradient } = measured((x) => bceWithLogits()(x, targets));
  expect(value / formula(logits)).toBeCloseTo(1, 6);
  const expected = numericalGradient(formula);
  gradient.forEach((g, i) => expect(g).toBeCloseTo(expected[i], 6));
  expect(() => bceWithLogits()(tensor2d([[1]]), Float32Array.of(2))).toThrow('target 2 at index 0');
  expect(() => bceWithLogits()(tensor2d([[1]]), Float32Array.of(1, 1))).toThrow('each of the 1 logits, found 2');
});

test('losses free everything but their value', () => {
  const x = tensor2d(logits);
  const before = memory().numTensors;
  crossEntropy({ labelSmoothing: 0.1 })(x, labels).dispose();
  bceWithLogits()(x, new Float32Array(12)).dispose();
  expect(memory().numTensors).toBe(before);
});
