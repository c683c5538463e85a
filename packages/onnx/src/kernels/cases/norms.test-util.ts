import { BatchNorm2d, relu, relu6 } from '@convkit/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { type Case, wave } from './values.test-util.js';

type Shape4 = [number, number, number, number];

/** Batch statistics of a convolution's output, what comes after, and the gradients in image, scale and offset. */
const norm = (name: string, [n, h, w, c]: Shape4, then: (y: Tensor, x: Tensor) => Tensor): Case => [
  name,
  () => {
    const layer = new BatchNorm2d(c).initialize(0);
    [layer.weight, layer.bias].forEach((weight, i) => weight.set(wave([c], 2, i).dataSync() as Float32Array));
    const forward = (image: Tensor) => {
      const x = tf.conv2d(image as Tensor4D, wave([1, 1, 3, c]) as Tensor4D, 1, 'same');
      return then(layer.forward(x, { training: true }), x);
    };
    const loss = (image: Tensor) => tf.sum(tf.mul(forward(image), wave([n, h, w, c], 1e-2, 1)));
    const image = wave([n, h, w, 3]) as Tensor4D;
    const inImage = tf.grad(loss)(image);
    const { grads } = tf.variableGrads(() => loss(image) as tf.Scalar, [layer.weight.value, layer.bias.value]);
    const results = [forward(image), inImage, ...Object.values(grads)];
    tf.dispose([layer.running_mean.value, layer.running_var.value]);
    return results;
  },
];

/** Large maps whose pixels come in whole blocks are scaled in one pass. */
export const norms: Case[] = [
  norm('of small maps', [2, 5, 6, 4], relu),
  norm('of large maps', [4, 64, 64, 16], (y) => y),
  norm('of large maps, then ReLU', [4, 64, 64, 16], relu),
  norm('of large maps, then ReLU6', [4, 64, 64, 16], relu6),
  norm('of large maps that are read before and after a ReLU', [4, 64, 64, 16], (y) => tf.add(relu(y), tf.sigmoid(y))),
  norm('of large maps, plus what they come from, then ReLU', [4, 64, 64, 16], (y, x) => relu(tf.add(y, x))),
  norm('of large maps of pixels that do not fill blocks', [16, 31, 33, 17], relu),
  norm('of many maps of few pixels', [64, 8, 8, 64], relu),
];
