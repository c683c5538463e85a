import * as tf from '@tensorflow/tfjs-core';
import { type Case, gradient, image, wave, wholes } from './values.test-util.js';

export const numbers: Case[] = [
  [
    'arithmetic of whole numbers',
    () => {
      const [a, b] = [wholes([11], -5, 5), tf.reverse(wholes([11], -4, 6))];
      return [
        tf.add(a, b),
        tf.sub(a, b),
        tf.mul(a, b),
        tf.maximum(a, b),
        tf.minimum(a, b),
        tf.neg(a),
        tf.abs(a),
        tf.square(a),
        tf.squaredDifference(a, b),
      ];
    },
  ],
  [
    'division of whole numbers rounds down',
    () => {
      const [a, b] = [tf.tensor1d([7, -7, 7, -7, 6, 0, 3], 'int32'), tf.tensor1d([2, 2, -2, -2, 3, 5, 0], 'int32')];
      return [tf.div(a, b), tf.floorDiv(a, b)];
    },
  ],
  [
    'mod',
    () => [
      tf.mod(tf.tensor1d([7, -7, 7, -7, 6], 'int32'), tf.tensor1d([3, 3, -3, -3, 3], 'int32')),
      tf.mod(tf.tensor1d([7.5, -7.5, 7.5, -7.5, 6]), tf.tensor1d([2, 2, -2, -2, 3])),
    ],
  ],
  ['atan2', () => tf.atan2(tf.tensor1d([1, 1, -1, -1, 1, -1, 0, 2]), tf.tensor1d([1, -1, -1, 1, 0, 0, -1, 3]))],
  [
    'unary functions',
    () => {
      const x = wave([9], 0.9);
      const positive = tf.add(tf.abs(x), 1.1);
      const functions = [
        ...[
          tf.abs,
          tf.neg,
          tf.sign,
          tf.floor,
          tf.ceil,
          tf.round,
          tf.square,
          tf.exp,
          tf.expm1,
          tf.sin,
          tf.cos,
          tf.tan,
          tf.asin,
          tf.acos,
        ],
        ...[
          tf.atan,
          tf.sinh,
          tf.cosh,
          tf.tanh,
          tf.erf,
          tf.relu,
          tf.relu6,
          tf.elu,
          tf.selu,
          tf.sigmoid,
          tf.softplus,
          tf.asinh,
          tf.atanh,
        ],
      ];
      return [
        ...functions.map((f) => f(x)),
        ...[tf.sqrt, tf.rsqrt, tf.log, tf.log1p, tf.reciprocal, tf.acosh].map((f) => f(positive)),
      ];
    },
  ],
  ['halves round to even', () => tf.round(tf.tensor1d([0.5, 1.5, 2.5, -0.5, -1.5]))],
  [
    'binary functions',
    () => {
      const [a, b] = [wave([3, 4]), wave([4], 1, 2)];
      return [
        tf.add(a, b),
        tf.sub(a, b),
        tf.mul(a, b),
        tf.div(a, b),
        tf.maximum(a, b),
        tf.minimum(a, b),
        tf.pow(tf.abs(a), b),
        tf.squaredDifference(a, b),
        tf.prelu(a, b),
      ];
    },
  ],
  [
    'step, clipByValue, leakyRelu',
    () => [tf.step(wave([7])), tf.step(wave([7]), 0.3), tf.clipByValue(wave([7]), -0.2, 0.5), tf.leakyRelu(wave([7]), 0.1)],
  ],
  ['addN', () => tf.addN([wave([3]), wave([3], 2), wave([3], 3)])],
  ['fill', () => [tf.fill([2, 3], 1.5), tf.fill([2], 3, 'int32'), tf.zeros([2, 2]), tf.ones([2], 'bool')]],
  [
    'broadcasting of an image',
    () => [
      tf.mul(image(), wave([8])),
      tf.add(image(), wave([6, 4, 1])),
      tf.sub(tf.scalar(1), image()),
      tf.mul(wave([2, 1, 1, 8]), image()),
    ],
  ],
  [
    'gradients of functions',
    () =>
      [
        tf.elu,
        tf.selu,
        tf.sigmoid,
        tf.softplus,
        tf.tanh,
        tf.relu6,
        tf.exp,
        tf.square,
        tf.sin,
        tf.atan,
        tf.erf,
        tf.abs,
        tf.expm1,
      ].map((f) =>
        gradient(
          (x) => f(x),
          () => wave([2, 5]),
        ),
      ),
  ],
];
