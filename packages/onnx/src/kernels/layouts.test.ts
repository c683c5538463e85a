import { BatchNorm2d, Random, globalAvgPool, selectBackend, spatialMean, subsample, upsample } from '@convkit/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import '@convkit/core/train';
import { beforeAll, expect, test } from 'vitest';
import type { OnnxBackend } from '../backend.js';
import { registerOnnx } from '../index.js';
import { collect } from '../program.js';

/** What keeps images in the convolutions' NCHW: transposes of whole images cost more than the ops between them. */

beforeAll(async () => {
  registerOnnx();
  await selectBackend('onnx');
});

const random = new Random(0);
const noise = (shape: number[]): Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
    shape,
  );

/** The transposes that a result needs, by the size of what they move. */
function transposes(compute: (image: Tensor4D) => Tensor): number {
  return tf.tidy(() => {
    const filter = noise([3, 3, 4, 8]) as Tensor4D;
    const image = tf.conv2d(noise([2, 8, 8, 4]) as Tensor4D, filter, 1, 'same');
    const { slot } = (tf.backend() as OnnxBackend).value(compute(image))!;
    return collect([slot]).nodes.filter(({ op }) => op === 'Transpose').length;
  });
}
/** That of the input, which comes from the host. */
const ONE = 1;

test.each<[string, (x: Tensor4D) => Tensor]>([
  ['concatenation of channels', (x) => tf.concat([x, tf.relu(x)], 3)],
  ['slices of channels and pixels', (x) => tf.slice(x, [0, 1, 1, 2], [2, 4, 4, 3])],
  ['splits', (x) => tf.concat(tf.split(x, 2, 3).reverse(), 3)],
  [
    'padding',
    (x) =>
      tf.pad(x, [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 2],
      ]),
  ],
  ['means over pixels', (x) => tf.mul(x, tf.mean(x, [1, 2], true))],
  ['sums over all but the channels', (x) => tf.sum(x, [0, 1, 2])],
  ['maxima over channels', (x) => tf.mul(x, tf.max(x, 3, true))],
  ['vectors of means', (x) => tf.matMul(tf.mean(x, [1, 2]), noise([8, 3]))],
  ['upsampling', (x) => upsample(x, 2)],
  ['the gradient of every other pixel', (x) => tf.grad((y) => subsample(y, 2))(x, tf.relu(subsample(x, 2)))],
  ['bilinear resizing', (x) => tf.image.resizeBilinear(x, [5, 5])],
  ['scales and offsets of channels', (x) => tf.add(tf.mul(x, noise([8])), noise([1, 1, 1, 8]))],
  ['reversed channels', (x) => tf.reverse(x, 3)],
  ['stacks', (x) => tf.sum(tf.stack([x, tf.relu(x)], 4), 4)],
  ['rows of pixels', (x) => tf.mean(tf.reshape(x, [2, 64, 8]), 1)],
  ["PyTorch's flattening", (x) => tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [2, 512])],
  ['another convolution', (x) => tf.conv2d(tf.concat([x, x], 3), noise([1, 1, 16, 2]) as Tensor4D, 1, 'same')],
])('%s', (_name, compute) => {
  expect(transposes(compute)).toBe(ONE);
});

test('the gradients of a dense block', () => {
  const filters = [noise([3, 3, 8, 4]), noise([3, 3, 12, 4])] as Tensor4D[];
  const count = transposes((x) => {
    const loss = (input: Tensor): Tensor => {
      const grown = filters.reduce((y, filter) => tf.concat([y, tf.relu(tf.conv2d(y, filter, 1, 'same'))], 3), input as Tensor4D);
      return tf.sum(tf.mul(globalAvgPool(tf.mul(grown, tf.sigmoid(spatialMean(grown)))), 0.5));
    };
    return tf.grad(loss)(x);
  });
  // Each filter once more, swapped for the gradient of its input.
  expect(count).toBeLessThanOrEqual(ONE + filters.length);
});

test('each map of a dense block is averaged once, whatever joins it, and centred values are joined anew for the gradients', () => {
  tf.tidy(() => {
    const filters = [noise([3, 3, 8, 4]), noise([3, 3, 12, 4])] as Tensor4D[];
    const norms = [8, 12, 16].map((channels) => new BatchNorm2d(channels).initialize(0));
    const normalised = (x: Tensor, i: number) => norms[i].forward(x, { training: true }) as Tensor4D;
    const grown = (x: Tensor): Tensor =>
      filters.reduce((y, filter, i) => tf.concat([y, tf.conv2d(normalised(y, i), filter, 1, 'same')], 3), x as Tensor4D);
    const x = tf.conv2d(noise([2, 8, 8, 4]) as Tensor4D, noise([3, 3, 4, 8]) as Tensor4D, 1, 'same');
    const gradient = tf.grad((y) => tf.sum(tf.square(normalised(grown(y), 2))))(x);
    const { nodes } = collect([(tf.backend() as OnnxBackend).value(gradient)!.slot]);
    // Mean and variance of the block's input and of two layers' maps; backward, two means for each of the three norms.
    expect(nodes.filter(({ op }) => op === 'ReduceMean')).toHaveLength(2 * 3 + 2 * 3);
    const joined = nodes.filter(
      ({ op, outputs }) => op === 'Concat' && outputs[0].dims[1] === 16 && outputs[0].dims.length === 4,
    );
    expect(joined.map(({ inputs }) => inputs.length)).toEqual([3, 3]);
  });
});
