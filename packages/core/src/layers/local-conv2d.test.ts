import { type Tensor4D, add, concat, slice, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { ShapeError } from '../errors.js';
import { conv2d } from '../ops/conv2d.js';
import { backends, checkGradient, expectClose, randomTensor, useBackend } from '../ops/gradient-check.test-util.js';
import { localConv2d } from '../ops/local-conv2d.js';
import { layouts } from '../weights/layout.js';
import { summarize } from '../summary.js';
import { LocalConv2d } from './local-conv2d.js';

test('each weight is multiplied once', async () => {
  await useBackend('cpu');
  const { macs, parameters } = summarize(new LocalConv2d([4, 5, 3], 2, { kernel: 3, stride: 2, padding: 1 }), [4, 5]);
  expect([macs, parameters]).toEqual([6 * 2 * 27, 6 * 2 * 27 + 2 * 6]);
});

describe.each(backends)('LocalConv2d on %s', (backend) => {
  beforeAll(() => useBackend(backend));
  const options = { kernel: 3, stride: 2, padding: 1 };

  test('computes at each place what a convolution with the filter of that place computes', () => {
    tidy(() => {
      const x = randomTensor<Tensor4D>([2, 4, 5, 3]);
      const filter = randomTensor([6, 2, 27]); // 2 × 3 places
      const bias = randomTensor([2, 2, 3]);
      const y = localConv2d(x, filter, bias, options);
      expect(y.shape).toEqual([2, 2, 3, 2]);
      const places = Array.from({ length: 6 }, (_, place) => {
        const [row, column] = [Math.floor(place / 3), place % 3];
        const values = slice(filter, [place, 0, 0], [1, 2, 27]).dataSync<'float32'>();
        const own = layouts.conv.fromTorch(values, [2, 3, 3, 3]);
        const whole = conv2d(x, tensor4d(own, [3, 3, 3, 2]), {
          stride: [2, 2],
          padding: [1, 1],
          dilation: [1, 1],
          groups: 1,
        });
        return [0, 1].map((channel) =>
          add(slice(whole, [0, row, column, channel], [2, 1, 1, 1]), slice(bias, [channel, row, column], [1, 1, 1])),
        );
      });
      for (const [place, channels] of places.entries()) {
        const here = slice(y, [0, Math.floor(place / 3), place % 3, 0], [2, 1, 1, 2]);
        expectClose(here, [...concat(channels, 3).dataSync()], 1e-5);
      }
    });
  });

  test('has gradients in the input, the filter and the bias', () => {
    tidy(() => {
      checkGradient(
        (x, filter, bias) => localConv2d(x as Tensor4D, filter, bias, { kernel: 3, stride: 1, padding: 1 }),
        [randomTensor([2, 2, 3, 2]), randomTensor([6, 2, 18]), randomTensor([2, 2, 3])],
        { step: 0.1 },
      );
    });
  });

  test('has the shapes that the size of its input asks for, and takes no other', () => {
    const layer = new LocalConv2d([7, 7, 4], 5, { kernel: 3, stride: 1, padding: 1 }).initialize();
    expect([...layer.state()].map(([name, { shape }]) => [name, [...shape]])).toEqual([
      ['weight', [49, 5, 36]],
      ['bias', [5, 7, 7]],
    ]);
    tidy(() => {
      expect(layer.forward(randomTensor([1, 7, 7, 4])).shape).toEqual([1, 7, 7, 5]);
      expect(() => layer.forward(randomTensor([1, 6, 7, 4]))).toThrow(ShapeError);
    });
    layer.dispose();
  });
});
