import { Tensor, type Rank, tensor } from '@tensorflow/tfjs-core';
import { ArgumentError, ShapeError } from '../errors.js';
import type { Batch, Labels } from './batch.js';

/** Picks the logits [N, classes] out of a model's output. */
export type LogitsOf<Output> = (output: Output) => Tensor;

/** The output itself, if it is a tensor. */
export function outputTensor(output: unknown): Tensor {
  if (output instanceof Tensor) return output as Tensor<Rank>;
  throw new ArgumentError('The model gives more than one tensor: pass `logits`, a function that picks the one for the metrics.');
}

/** A batch on the device: [N, H, W, C]. Throws ShapeError if its parts do not fit together. */
export function toTensor({ images, shape, labels }: Batch<Labels>): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  if (images.length !== size || labels.length !== shape[0]) {
    throw new ShapeError(
      `A batch of shape [${shape.join()}] needs ${size} values and ${shape[0]} labels, found ${images.length} and ${labels.length}.`,
    );
  }
  return tensor(images, shape, 'float32');
}
