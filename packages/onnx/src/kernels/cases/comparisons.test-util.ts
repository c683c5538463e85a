import * as tf from '@tensorflow/tfjs-core';
import { type Case, eachKind, image, truths } from './values.test-util.js';

export const comparisons: Case[] = [
  ...eachKind((values, kind) => [
    [
      `comparisons ${kind}`,
      () => {
        const [a, b] = [values([3, 4]), tf.reverse(values([3, 4]), 1)];
        return [tf.equal, tf.notEqual, tf.less, tf.lessEqual, tf.greater, tf.greaterEqual].map((f) => f(a, b));
      },
    ],
    [`casts of ${kind}`, () => (['float32', 'int32', 'bool'] as const).map((to) => tf.cast(tf.mul(values([9]), 1), to))],
  ]),
  ['comparisons broadcast', () => tf.greater(image(), tf.mean(image(), [1, 2], true))],
  [
    'logic',
    () => {
      const [a, b] = [truths([7]), tf.reverse(truths([7]))];
      return [tf.logicalAnd(a, b), tf.logicalOr(a, b), tf.logicalXor(a, b), tf.logicalNot(a)];
    },
  ],
  ['casts truncate', () => tf.cast(tf.tensor1d([1.9, -1.9, 0.5, -0.5]), 'int32')],
  [
    'isNaN, isInf, isFinite',
    () => {
      const x = tf.tensor1d([1, NaN, Infinity, -Infinity, 0]);
      return [tf.isNaN(x), tf.isInf(x), tf.isFinite(x)];
    },
  ],
];
