import * as tf from '@tensorflow/tfjs-core';
import { type Case, eachKind, gradient, image, wave } from './values.test-util.js';

export const shapes: Case[] = [
  ...eachKind((values, kind) => [
    [`reshape ${kind}`, () => tf.reshape(values([2, 3, 4]), [4, -1])],
    [`expandDims ${kind}`, () => tf.expandDims(values([2, 3]), 1)],
    [`squeeze ${kind}`, () => tf.squeeze(values([2, 1, 3]))],
    [`transpose ${kind}`, () => tf.transpose(values([2, 3, 4]), [2, 0, 1])],
    [`concat ${kind}`, () => tf.concat([values([2, 3, 4]), values([2, 1, 4])], 1)],
    [`stack ${kind}`, () => tf.stack([values([2, 3]), values([2, 3])], 1)],
    [`unstack ${kind}`, () => tf.unstack(values([2, 3, 4]), 1)],
    [`split ${kind}`, () => tf.split(values([2, 9]), [2, 3, 4], 1)],
    [`split evenly ${kind}`, () => tf.split(values([6, 2]), 3)],
    [`tile ${kind}`, () => tf.tile(values([2, 3]), [2, 3])],
    [`broadcastTo ${kind}`, () => tf.broadcastTo(values([2, 1, 3]), [2, 4, 3])],
    [`slice ${kind}`, () => tf.slice(values([4, 5, 6]), [1, 0, 2], [2, 5, -1])],
    [`empty slice ${kind}`, () => tf.slice(values([4, 5]), [1, 0], [0, 5])],
    [`stridedSlice ${kind}`, () => tf.stridedSlice(values([6, 7]), [1, 6], [6, 0], [2, -2])],
    [`stridedSlice to the first ${kind}`, () => tf.stridedSlice(values([5]), [4], [0], [-2], 0, 1)],
    [`stridedSlice, masks ${kind}`, () => tf.stridedSlice(values([4, 5, 6]), [0, 1], [2, 3], [1, 1], 1, 0, 0, 0, 2)],
    [`reverse ${kind}`, () => tf.reverse(values([3, 4, 2]), [0, 2])],
    [
      `pad ${kind}`,
      () =>
        tf.pad(
          values([2, 3]),
          [
            [1, 2],
            [0, 1],
          ],
          1,
        ),
    ],
    [
      `mirrorPad reflect ${kind}`,
      () =>
        tf.mirrorPad(
          values([3, 4]),
          [
            [1, 2],
            [2, 3],
          ],
          'reflect',
        ),
    ],
    [
      `mirrorPad symmetric ${kind}`,
      () =>
        tf.mirrorPad(
          values([3, 4]),
          [
            [1, 3],
            [2, 0],
          ],
          'symmetric',
        ),
    ],
    [`clone ${kind}`, () => tf.clone(values([3]))],
    [`zerosLike, onesLike ${kind}`, () => [tf.zerosLike(values([3])), tf.onesLike(values([2, 2]))]],
  ]),
  ['concat along channels and rows', () => [tf.concat([image(), image()], 3), tf.concat([image(), wave([2, 1, 4, 8])], 1)]],
  ['slices of an image', () => [tf.slice(image(), [0, 0, 0, 2], [-1, -1, -1, 3]), tf.slice(image(), [1, 2, 1, 0], [1, 3, 2, 8])]],
  ['strided slice of an image', () => tf.stridedSlice(image(), [0, 0, 1, 0], [2, 6, 4, 8], [1, 2, 2, 1])],
  [
    'split, stack and unstack of images',
    () => [...tf.split(image(), 4, 3), tf.stack([image(), image()], 3), ...tf.unstack(image(), 1)],
  ],
  [
    'pad, reverse, tile of an image',
    () => [
      tf.pad(
        image(),
        [
          [0, 0],
          [1, 2],
          [0, 3],
          [0, 1],
        ],
        -1,
      ),
      tf.reverse(image(), [1, 3]),
      tf.tile(image(), [1, 2, 1, 3]),
      tf.mirrorPad(
        image(),
        [
          [0, 0],
          [1, 2],
          [2, 1],
          [0, 0],
        ],
        'reflect',
      ),
    ],
  ],
  [
    'reshapes of an image',
    () => [
      tf.reshape(image(), [2, 24, 8]),
      tf.reshape(image(), [2, 24, 2, 4]),
      tf.reshape(image(), [12, 4, 8]),
      tf.reshape(image(), [2, 192]),
      tf.reshape(image(), [1, 2, 6, 1, 4, 8, 1]),
      tf.reshape(image(), [2, 2, 3, 4, 8]),
      tf.expandDims(image(), -1),
    ],
  ],
  ['an image of one pixel as vectors', () => tf.reshape(tf.mean(image(), [1, 2], true), [2, 8])],
  [
    'transposes of an image',
    () => [
      tf.transpose(image(), [0, 3, 1, 2]),
      tf.reshape(tf.transpose(image(), [0, 3, 1, 2]), [2, 192]),
      tf.relu(tf.transpose(tf.transpose(image(), [3, 0, 2, 1]), [1, 2, 0, 3])),
    ],
  ],
  [
    'spaceToBatchND and batchToSpaceND',
    () => {
      const x = tf.spaceToBatchND(
        image(),
        [2, 3],
        [
          [0, 0],
          [1, 1],
        ],
      );
      return [
        x,
        tf.batchToSpaceND(
          x,
          [2, 3],
          [
            [1, 1],
            [1, 1],
          ],
        ),
      ];
    },
  ],
  ['depthToSpace', () => tf.depthToSpace(image(), 2)],
  [
    'gradients of what moves',
    () => [
      gradient(
        (x) => tf.concat([x, tf.mul(x, x)], 1),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.slice(x, [1, 0], [1, 2]),
        () => wave([2, 3]),
      ),
      gradient(
        (x) =>
          tf.pad(x, [
            [1, 1],
            [0, 2],
          ]),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.stack(tf.unstack(x, 1), 0),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.tile(x, [2, 2]),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.transpose(tf.reshape(x, [3, 2])),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.concat(tf.split(x, 3, 1).reverse(), 0),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.reverse(x, 1),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.spaceToBatchND(x, [2], [[0, 0]]),
        () => wave([1, 4, 2]),
      ),
      gradient(
        (x) =>
          tf.mirrorPad(
            x,
            [
              [0, 0],
              [0, 0],
            ],
            'reflect',
          ),
        () => wave([2, 3]),
      ),
    ],
  ],
];
