import { type Tensor, memory, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ShapeError } from '../errors.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from '../ops/gradient-check.test-util.js';
import { convTranspose2d } from '../ops/conv-transpose2d.js';
import { type Pair } from './conv2d.js';
import { ConvTranspose2d } from './conv-transpose2d.js';

/** Values that PyTorch 1.13 computed in float64; weights, bias and x (NCHW) are `ramp`. */
const cases: {
  layer: [cin: number, cout: number, kernel: Pair, stride: Pair, padding: Pair];
  h: number;
  w: number;
  y: string;
}[] = [
  {
    layer: [2, 3, 2, 2, 0],
    h: 2,
    w: 3,
    y: '0.8125 -0.5625 1.5 -2.375 2.4375 -1.6875 -1.875 0.625 -1 -1 0.125 -0.125 -1.125 1.125 -0.75 -1 -0.125 -0.625 0.625 -0.75 -1.4375 -2.5625 -0.5 1.5625 -1.5 1 -0.625 -0.625 0.5 -1.125 -2.25 0 0.875 -2.125 1.5 -0.375 -2.4375 0.25 -1.1875 -1 0.3125 0.25 -1.6875 0.75 -0.9375 -1 0.0625 -0.25 -0.9375 1.25 -0.6875 -1 -0.1875 -0.75 -0.9375 1.75 -1.75 0.5 -0.25 -1.6875 -1.6875 0.75 -0.25 -1 0.75 -0.9375 -2.4375 -0.25 1.25 -2.5 1.75 -0.1875',
  },
  {
    layer: [3, 2, 3, 2, 1],
    h: 3,
    w: 2,
    y: '-2.8125 1.5 -0.1875 -0.6875 -1.125 0.625 0.9375 -0.0625 -2.9375 1.9375 -1.1875 0.9375 -0.125 -0.9375 -1 1.3125 -1.875 0.25 -2.625 -0.8125 0.9375 0.4375 0.75 -1.875 -0.875 0.75 -0.4375 1.25 0.125 -0.8125',
  },
  {
    layer: [2, 2, [3, 2], [1, 3], [1, 0]],
    h: 2,
    w: 2,
    y: '0.8125 1.4375 -3.5 -1.5 -1.25 0.5 -4 0.6875 -0.1875 1.0625 -0.25 1.75 -0.4375 1.5625 -1.25 0.5 -1.1875 0.0625 -0.8125 0.4375',
  },
];

const ramp = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => (((7 * i) % 11) - 5) / 4);

function input(cin: number, h: number, w: number): Tensor {
  const planes = ramp(cin * h * w);
  return tensor4d(
    Float32Array.from(planes, (_, i) => planes[(i % cin) * h * w + Math.floor(i / cin)]),
    [1, h, w, cin],
  );
}

describe.each(backends)('on the %s backend', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(cases)("gives PyTorch's values: $layer on $h×$w", ({ layer: [cin, cout, kernel, stride, padding], h, w, y }) => {
    const before = memory().numTensors;
    const layer = new ConvTranspose2d(cin, cout, kernel, { stride, padding });
    for (const [, parameter] of layer.parameters()) parameter.set(ramp(parameter.size));
    tidy(() => expectClose(layer.forward(input(cin, h, w)), y.split(' ').map(Number)));
    layer.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('its gradients are those of differences', () => {
    const options = { stride: [2, 1], padding: [1, 0] } as const;
    checkGradient(
      (x, filter, bias) => convTranspose2d(x as never, filter as never, options, bias),
      [randomTensor([2, 3, 2, 2]), randomTensor([3, 2, 3, 2]), randomTensor([3])],
    );
  });

  test('an input with other channels is refused', () => {
    const layer = new ConvTranspose2d(3, 2, 2);
    expect(() => layer.forward(randomTensor([1, 2, 2, 4]))).toThrow(ShapeError);
    expect(() =>
      convTranspose2d(randomTensor([1, 1, 1, 2]), randomTensor([2, 2, 3, 2]), { stride: [1, 1], padding: [1, 1] }),
    ).toThrow(ShapeError);
  });
});
