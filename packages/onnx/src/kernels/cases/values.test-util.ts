import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

/** What the cases compute with: values that are the same on every backend. */

export const wave = (shape: number[], scale = 1, phase = 0): Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => scale * Math.sin(1.7 * i + phase)),
    shape,
  );
export const wholes = (shape: number[], low = -5, high = 5): Tensor =>
  tf.tensor(
    Int32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => low + ((i * 7) % (high - low + 1))),
    shape,
    'int32',
  );
export const truths = (shape: number[]): Tensor =>
  tf.tensor(
    [...wholes(shape).dataSync()].map((n) => n > 0),
    shape,
    'bool',
  );
/** [2,6,4,8], from a convolution. */
export const image = (): Tensor4D => tf.conv2d(wave([2, 6, 4, 3]) as Tensor4D, wave([3, 3, 3, 8], 0.5, 1) as Tensor4D, 1, 'same');

export type Case = readonly [name: string, compute: () => Tensor | Tensor[]];

/** The gradient of Σ f(x)·cos(i) in x. */
export const gradient = (f: (x: Tensor) => Tensor, x: () => Tensor): Tensor => {
  const weighted = (input: Tensor) => {
    const y = f(input);
    return tf.sum(tf.mul(y, wave(y.shape, 1, Math.PI / 2)));
  };
  return tf.grad(weighted)(x());
};

const kinds = { float32: wave, int32: wholes, bool: truths } as const;
export const eachKind = (make: (values: (shape: number[]) => Tensor, kind: string) => Case[]): Case[] =>
  Object.entries(kinds).flatMap(([kind, values]) => make((shape) => values(shape), kind));
