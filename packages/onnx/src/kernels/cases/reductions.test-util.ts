import * as tf from '@tensorflow/tfjs-core';
import { type Case, eachKind, gradient, image, truths, wave } from './values.test-util.js';

export const reductions: Case[] = [
  ...eachKind((values, kind) => [
    [`sum ${kind}`, () => [tf.sum(values([2, 3, 4]), 1), tf.sum(values([2, 3]), [0, 1], true), tf.sum(values([3, 3]))]],
    [`mean ${kind}`, () => [tf.mean(values([2, 3, 4]), [0, 2]), tf.mean(values([2, 3]), -1, true)]],
    [`max and min ${kind}`, () => [tf.max(values([3, 4]), 0), tf.min(values([3, 4]), 1, true), tf.max(values([5]))]],
    [`prod ${kind}`, () => tf.prod(values([2, 3]), 1)],
    [`argMax and argMin ${kind}`, () => [tf.argMax(values([4, 5]), 1), tf.argMin(values([4, 5]), 0), tf.argMax(values([7]))]],
    [`cumsum ${kind}`, () => [tf.cumsum(values([3, 4]), 1), tf.cumsum(values([3, 4]), 0, true, true)]],
  ]),
  ['sum over no axis and of a scalar', () => [tf.sum(wave([2, 3]), []), tf.sum(tf.scalar(3))]],
  ['sum of nothing', () => tf.sum(tf.zeros([0, 3]), 0)],
  ['all and any', () => [tf.all(truths([3, 4]), 1), tf.any(truths([3, 4]), 0, true), tf.all(truths([2]))]],
  [
    'ties of argMax',
    () =>
      tf.argMax(
        tf.tensor2d([
          [1, 3, 3],
          [2, 2, 2],
        ]),
        1,
      ),
  ],
  [
    'reductions of an image',
    () => [
      tf.mean(image(), [1, 2]),
      tf.sum(image(), [0, 1, 2]),
      tf.max(image(), 3, true),
      tf.mean(image(), [1, 2], true),
      tf.min(image(), [1]),
      tf.sum(image(), 0),
      tf.argMax(image(), 3),
      tf.argMax(image(), 1),
      tf.cumsum(image(), 3),
    ],
  ],
  [
    'softmax and logSoftmax',
    () => [tf.softmax(wave([3, 5], 3)), tf.logSoftmax(wave([3, 5], 3)), tf.softmax(image()), tf.logSoftmax(image())],
  ],
  [
    'topk',
    () => {
      const { values, indices } = tf.topk(wave([3, 7]), 3);
      const ties = tf.topk(tf.tensor1d([1, 2, 2, 0, 2], 'int32'), 4);
      return [values, indices, ties.values, ties.indices];
    },
  ],
  [
    'moments, logSumExp, norm',
    () => [tf.moments(image(), [0, 1, 2]).variance, tf.logSumExp(wave([3, 4]), 1), tf.norm(wave([3, 4]))],
  ],
  [
    'gradients of reductions',
    () => [
      gradient(
        (x) => tf.sum(x, 1),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.mean(x, [0]),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.max(x, 1),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.min(x, 0, true),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.softmax(x),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.logSoftmax(x),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.cumsum(x, 1, true),
        () => wave([2, 3]),
      ),
    ],
  ],
];
