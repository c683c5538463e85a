import * as tf from '@tensorflow/tfjs-core';
import { type Case, eachKind, gradient, image, truths, wave, wholes } from './values.test-util.js';

export const places: Case[] = [
  ...eachKind((values, kind) => [
    [
      `gather ${kind}`,
      () => [tf.gather(values([4, 3]), tf.tensor1d([3, 0, 3], 'int32')), tf.gather(values([2, 5]), wholes([2, 2], 0, 4), 1)],
    ],
    [
      `gatherND ${kind}`,
      () =>
        tf.gatherND(
          values([3, 4, 2]),
          tf.tensor2d(
            [
              [0, 1],
              [2, 3],
            ],
            [2, 2],
            'int32',
          ),
        ),
    ],
    [
      `where ${kind}`,
      () => [tf.where(truths([2, 3]), values([2, 3]), values([2, 3])), tf.where(truths([2, 1]), values([2, 3]), values([1, 3]))],
    ],
  ]),
  ['gather with batch dimensions', () => tf.gather(wave([2, 5, 3]), wholes([2, 2], 0, 4), 1, 1)],
  [
    'gather of images',
    () => [
      tf.gather(image(), tf.tensor1d([1, 0, 1], 'int32')),
      tf.gather(image(), tf.tensor1d([7, 2], 'int32'), 3),
      tf.gather(
        image(),
        tf.tensor2d(
          [
            [3, 2],
            [0, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
      ),
      tf.gather(image(), tf.scalar(1, 'int32'), 2),
    ],
  ],
  [
    'scatterND',
    () => [
      tf.scatterND(tf.tensor2d([[1], [3], [1]], [3, 1], 'int32'), wave([3, 2]), [5, 2]),
      tf.scatterND(
        tf.tensor2d(
          [
            [0, 1],
            [2, 2],
          ],
          [2, 2],
          'int32',
        ),
        wholes([2]),
        [3, 4],
      ),
    ],
  ],
  [
    'unsortedSegmentSum',
    () => [
      tf.unsortedSegmentSum(wave([4, 3]), tf.tensor1d([1, 0, 1, 7], 'int32'), 3),
      tf.unsortedSegmentSum(wave([4]), tf.tensor1d([2, -1, 2, 0], 'int32'), 4),
    ],
  ],
  [
    'oneHot',
    () => [
      tf.oneHot(tf.tensor1d([0, 3, -1, 5], 'int32'), 4),
      tf.oneHot(
        tf.tensor2d(
          [
            [0, 1],
            [2, 1],
          ],
          [2, 2],
          'int32',
        ),
        3,
        2,
        -1,
      ),
      tf.oneHot(tf.tensor1d([1], 'int32'), 3, 1, 0, 'bool'),
      tf.oneHot(tf.tensor1d([1], 'int32'), 3, 1, 0, 'float32'),
    ],
  ],
  [
    'range and linspace',
    () => [tf.range(0, 5), tf.range(5, 0, -2), tf.range(1, 2, 0.25), tf.range(0, 4, 1, 'int32'), tf.linspace(0, 1, 5)],
  ],
  [
    'gradients of gather and where',
    () => [
      gradient(
        (x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32')),
        () => wave([3, 2]),
      ),
      gradient(
        (x) => tf.gather(x, tf.tensor1d([1, 0, 1, 1], 'int32'), 1),
        () => wave([3, 2]),
      ),
      gradient(
        (x) => tf.where(truths([3, 2]), tf.square(x), tf.mul(x, 3)),
        () => wave([3, 2]),
      ),
    ],
  ],
];
