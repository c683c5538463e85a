import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { type Case, gradient, image, wholes } from './values.test-util.js';

const resizes: Case[] = (['nearest', 'bilinear'] as const).flatMap((kind): Case[] => {
  const resize = (x: Tensor4D, size: [number, number], corners = false, half = false) =>
    kind === 'nearest' ? tf.image.resizeNearestNeighbor(x, size, corners, half) : tf.image.resizeBilinear(x, size, corners, half);
  const sizes: [number, number][] = [
    [12, 8],
    [3, 2],
    [7, 9],
    [6, 4],
    [1, 1],
  ];
  // tfjs-cpu's own gradients are wrong for more than one image and for images that are not square.
  const square = () => tf.slice(image(), [1, 1, 0, 0], [1, 4, 4, 8]);
  return [
    [`resize ${kind}`, () => sizes.map((size) => resize(image(), size))],
    [`resize ${kind}, corners aligned`, () => sizes.map((size) => resize(image(), size, true))],
    [`resize ${kind}, centres of pixels`, () => sizes.map((size) => resize(image(), size, false, true))],
    [`gradient of resize ${kind}`, () => sizes.slice(0, 4).map((size) => gradient((x) => resize(x as Tensor4D, size), square))],
    [
      `gradient of resize ${kind}, corners aligned`,
      () => sizes.slice(0, 4).map((size) => gradient((x) => resize(x as Tensor4D, size, true), square)),
    ],
  ];
});

export const images: Case[] = [
  ...resizes,
  ['resize of whole numbers', () => tf.image.resizeNearestNeighbor(wholes([1, 2, 3, 2]) as Tensor4D, [4, 5])],
  ['flipLeftRight', () => tf.image.flipLeftRight(image())],
  ['localResponseNormalization', () => [tf.localResponseNormalization(image(), 2, 1, 0.3, 0.75)]],
  [
    'gradient of localResponseNormalization',
    () => gradient((x) => tf.localResponseNormalization(x as Tensor4D, 2, 1, 0.3, 0.75), image),
  ],
];
