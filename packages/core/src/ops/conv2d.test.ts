import { type Tensor4D, memory, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ShapeError } from '../errors.js';
import { type ConvOptions, type Padding, conv2d } from './conv2d.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from './gradient-check.test-util.js';

/** The definition, as loops: what every backend has to give. */
function reference(x: Tensor4D, filter: Tensor4D, o: ConvOptions): number[] {
  const [n, h, w, cin] = x.shape;
  const [kh, kw, depth, cout] = filter.shape;
  const [xs, fs] = [x.dataSync(), filter.dataSync()];
  const total = (i: 0 | 1, size: number, k: number) => {
    const span = (k - 1) * o.dilation[i] + 1;
    if (o.padding !== 'same')
      return { out: Math.floor((size + 2 * o.padding[i] - span) / o.stride[i]) + 1, before: o.padding[i] };
    const out = Math.ceil(size / o.stride[i]);
    return { out, before: Math.floor(Math.max(0, (out - 1) * o.stride[i] + span - size) / 2) };
  };
  const [rows, columns] = [total(0, h, kh), total(1, w, kw)];
  const y: number[] = [];
  for (let b = 0; b < n; b++)
    for (let oy = 0; oy < rows.out; oy++)
      for (let ox = 0; ox < columns.out; ox++)
        for (let co = 0; co < cout; co++) {
          let value = 0;
          const firstIn = Math.floor(co / (cout / o.groups)) * depth;
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const iy = oy * o.stride[0] + ky * o.dilation[0] - rows.before;
              const ix = ox * o.stride[1] + kx * o.dilation[1] - columns.before;
              if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
              for (let ci = 0; ci < depth; ci++) {
                value += xs[((b * h + iy) * w + ix) * cin + firstIn + ci] * fs[((ky * kw + kx) * depth + ci) * cout + co];
              }
            }
          y.push(value);
        }
  return y;
}

interface Case {
  x: [number, number, number, number];
  kernel: [number, number];
  cout: number;
  stride?: [number, number];
  padding?: Padding;
  dilation?: [number, number];
  groups?: number;
}

const cases: Record<string, Case> = {
  'a 3×3': { x: [2, 6, 5, 3], kernel: [3, 3], cout: 4, padding: [1, 1] },
  'a 3×3 with many channels': { x: [2, 5, 6, 20], kernel: [3, 3], cout: 24, padding: [1, 1] },
  'a 1×1': { x: [2, 4, 4, 8], kernel: [1, 1], cout: 5 },
  'a 1×1 with stride 2': { x: [2, 5, 6, 4], kernel: [1, 1], cout: 8, stride: [2, 2] },
  'no padding': { x: [1, 6, 7, 2], kernel: [3, 2], cout: 3 },
  'stride 2': { x: [2, 7, 6, 5], kernel: [3, 3], cout: 9, stride: [2, 2], padding: [1, 1] },
  'a stem 7×7, stride 2': { x: [1, 12, 11, 3], kernel: [7, 7], cout: 8, stride: [2, 2], padding: [3, 3] },
  'unequal strides and padding': { x: [1, 7, 8, 3], kernel: [3, 5], cout: 4, stride: [2, 3], padding: [0, 2] },
  "TensorFlow's same padding": { x: [2, 6, 7, 3], kernel: [3, 3], cout: 4, stride: [2, 2], padding: 'same' },
  'more padding than the kernel reaches': { x: [1, 3, 3, 2], kernel: [1, 1], cout: 3, padding: [1, 2] },
  dilation: { x: [1, 8, 9, 3], kernel: [3, 3], cout: 4, padding: [2, 1], dilation: [2, 3] },
  'dilation and stride': { x: [2, 9, 8, 3], kernel: [3, 3], cout: 4, stride: [2, 2], padding: [2, 2], dilation: [2, 2] },
  'dilation and stride, of 16 images into 16 channels': {
    x: [16, 6, 7, 2],
    kernel: [3, 3],
    cout: 16,
    stride: [2, 1],
    padding: [2, 2],
    dilation: [1, 2],
  },
  groups: { x: [2, 5, 5, 6], kernel: [3, 3], cout: 9, padding: [1, 1], groups: 3 },
  'groups with stride and dilation': {
    x: [1, 9, 9, 4],
    kernel: [3, 3],
    cout: 6,
    stride: [2, 2],
    padding: [2, 2],
    dilation: [2, 2],
    groups: 2,
  },
  depthwise: { x: [2, 6, 7, 5], kernel: [3, 3], cout: 5, padding: [1, 1], groups: 5 },
  'depthwise with stride': { x: [2, 8, 7, 4], kernel: [5, 5], cout: 4, stride: [2, 2], padding: [2, 2], groups: 4 },
  'depthwise with a multiplier': { x: [1, 5, 6, 3], kernel: [3, 3], cout: 6, padding: [1, 1], groups: 3 },
  'depthwise, dilated, with a multiplier': {
    x: [1, 9, 8, 3],
    kernel: [3, 3],
    cout: 6,
    stride: [2, 1],
    padding: [2, 2],
    dilation: [2, 2],
    groups: 3,
  },
};

describe.each(backends)('conv2d on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  test.each(Object.entries(cases))('%s: values and gradients, with and without bias', (_, c) => {
    const groups = c.groups ?? 1;
    const options: ConvOptions = {
      stride: c.stride ?? [1, 1],
      padding: c.padding ?? [0, 0],
      dilation: c.dilation ?? [1, 1],
      groups,
    };
    tidy(() => {
      const x = randomTensor<Tensor4D>(c.x);
      const filter = randomTensor<Tensor4D>([...c.kernel, c.x[3] / groups, c.cout]);
      expectClose(conv2d(x, filter, options), reference(x, filter, options), 1e-4);
      checkGradient((a, b) => conv2d(a as Tensor4D, b as Tensor4D, options), [x, filter], { step: 0.1, tolerance: 3e-3 });
      const bias = randomTensor([c.cout]);
      const added = bias.dataSync();
      const expected = reference(x, filter, options).map((value, i) => value + added[i % c.cout]);
      expectClose(conv2d(x, filter, options, bias), expected, 1e-4);
      checkGradient((a, b, t) => conv2d(a as Tensor4D, b as Tensor4D, options, t), [x, filter, bias], {
        step: 0.1,
        tolerance: 3e-3,
      });
    });
  });

  test('channels that do not fit are an error that names them, and nothing leaks', () => {
    const x = randomTensor<Tensor4D>([1, 4, 4, 6]);
    const filter = randomTensor<Tensor4D>([3, 3, 4, 8]);
    const before = memory().numTensors;
    const options: ConvOptions = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
    expect(() => conv2d(x, filter, options)).toThrow(ShapeError);
    expect(() => conv2d(x, filter, options)).toThrow(/has 6 channels.*takes 4/);
    const large = randomTensor<Tensor4D>([7, 7, 6, 2]);
    expect(() => conv2d(x, large, options)).toThrow(/input of 4×4 is smaller than the kernel 7×7/);
    const fitting = randomTensor<Tensor4D>([3, 3, 6, 8]);
    expect(() => conv2d(x, fitting, options, x)).toThrow(/takes a bias \[8\]/);
    fitting.dispose();
    large.dispose();
    expect(memory().numTensors).toBe(before);
    x.dispose();
    filter.dispose();
  });
});
