import * as tf from '@tensorflow/tfjs-core';
import { type Case, gradient, image, wave, wholes } from './values.test-util.js';

export const products: Case[] = [
  [
    'matMul',
    () => [
      tf.matMul(wave([3, 4]), wave([4, 5])),
      tf.matMul(wave([4, 3]), wave([5, 4]), true, true),
      tf.matMul(tf.transpose(wave([4, 3])), tf.transpose(wave([5, 4]))),
    ],
  ],
  ['matMul of a matrix that lies transposed', () => tf.matMul(tf.transpose(tf.relu(wave([4, 3]))), tf.relu(wave([3, 5])), true)],
  [
    'matMul of stacks',
    () => [
      tf.matMul(wave([2, 3, 4]), wave([2, 4, 5])),
      tf.matMul(wave([2, 4, 3]), wave([1, 5, 4]), true, true),
      tf.matMul(wave([2, 1, 3, 4]), wave([2, 1, 4, 2])),
      tf.matMul(wave([1, 3, 4]), wave([1, 4, 2])),
    ],
  ],
  ['matMul of whole numbers', () => tf.matMul(wholes([3, 4]), wholes([4, 2]))],
  [
    'fused matMul',
    () => [
      tf.fused.matMul({ a: wave([3, 4]), b: wave([4, 5]), bias: wave([5]), activation: 'relu' }),
      tf.fused.matMul({ a: wave([3, 4]), b: wave([5, 4]), transposeB: true, bias: wave([1, 5]), activation: 'sigmoid' }),
      tf.fused.matMul({ a: wave([2, 3, 4]), b: wave([2, 4, 5]), bias: wave([5]) }),
    ],
  ],
  ['matMul of an image', () => tf.matMul(tf.reshape(image(), [2, 24, 8]), wave([8, 3]))],
  [
    'einsum',
    () => [tf.einsum('ij,jk->ik', wave([2, 3]), wave([3, 4])), tf.einsum('bij,bjk->bki', wave([2, 2, 3]), wave([2, 3, 4]))],
  ],
  [
    'gradients of products',
    () => [
      gradient(
        (x) => tf.matMul(x, wave([3, 4])),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.matMul(wave([3, 4]), x, true, true),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.matMul(x, wave([2, 3, 4]), true),
        () => wave([2, 3, 2]),
      ),
    ],
  ],
];
