import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { type Case, gradient, wave } from './values.test-util.js';

type Shape4 = [number, number, number, number];
type Padding = 'same' | 'valid' | [[0, 0], [number, number], [number, number], [0, 0]];

/** Gradients of filter and input, and the output: [N,H,W,I] with [kh,kw,I,O]. */
const convolution = (name: string, x: Shape4, filter: Shape4, strides = 1, padding: Padding = 'same'): Case => {
  const scale = 1 / Math.sqrt(filter[0] * filter[1] * filter[2]);
  const [images, filters] = [() => wave(x), () => wave(filter, scale, 1)];
  const run = (image: tf.Tensor, weights: tf.Tensor) => tf.conv2d(image as Tensor4D, weights as Tensor4D, strides, padding);
  return [
    name,
    () => [
      run(images(), filters()),
      gradient((weights) => run(images(), weights), filters),
      gradient((image) => run(image, filters()), images),
    ],
  ];
};

/** With 16 images, or channels by 16, filters' gradients are convolutions over blocks. */
export const convolutions: Case[] = [
  convolution('a 3×3 of few images', [2, 6, 5, 3], [3, 3, 3, 4]),
  convolution('a 3×3 of 16 images into 16 channels', [16, 6, 5, 3], [3, 3, 3, 16]),
  convolution('a 3×3 of 32 images from 16 channels into 32', [32, 3, 4, 16], [3, 3, 16, 32]),
  convolution('from 16 channels into 12', [2, 6, 5, 16], [3, 3, 16, 12]),
  convolution('from 12 channels into 16', [2, 6, 5, 12], [3, 3, 12, 16]),
  convolution('a 1×1 of many pixels from 16 channels into 32', [2, 16, 17, 16], [1, 1, 16, 32]),
  convolution('without padding', [16, 6, 7, 4], [3, 2, 4, 16], 1, 'valid'),
  convolution('uneven padding', [16, 5, 6, 4], [3, 3, 4, 16], 1, [
    [0, 0],
    [2, 0],
    [0, 1],
    [0, 0],
  ]),
  convolution('stride 2', [16, 8, 8, 4], [3, 3, 4, 16], 2, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]),
  convolution('stride 2 of uneven sides', [16, 7, 8, 4], [3, 3, 4, 16], 2),
  convolution('stride 2 that leaves pixels unread', [16, 8, 8, 4], [2, 2, 4, 16], 3, 'valid'),
  convolution('16 channels into 12', [16, 6, 5, 16], [3, 3, 16, 12]),
  convolution('16 channels into 12, without padding', [16, 6, 5, 16], [3, 2, 16, 12], 1, 'valid'),
  convolution('16 channels into 12, more padding than the filter reaches', [16, 4, 5, 16], [2, 2, 16, 12], 1, [
    [0, 0],
    [2, 2],
    [1, 1],
    [0, 0],
  ]),
  convolution('16 channels into 12, stride 2', [16, 6, 5, 16], [3, 3, 16, 12], 2),
];
