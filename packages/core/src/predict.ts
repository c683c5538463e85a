import { type Tensor, type TensorContainer, engine, tidy } from '@tensorflow/tfjs-core';
import { type Module, inference } from './module.js';

/** The name of `PredictingBackend`'s method. */
export const PREDICT: unique symbol = Symbol.for('convkit.predict');

/** What a backend offers that compiles a whole net, its weights folded in, and keeps it until the weights change. */
export interface PredictingBackend {
  [PREDICT]<T>(model: Module<unknown>, name: string, compute: (x: Tensor) => T, x: Tensor): T;
}

/**
 * The net's output for a batch, in evaluation mode: what `model.forward(x, inference)` gives, as one compiled graph on backends that
 * compile (`onnx`). The tensors are the caller's.
 */
export function predict<Output>(model: Module<Output>, x: Tensor): Output {
  return predictWith(model, 'forward', (input) => model.forward(input, inference), x);
}

/**
 * `predict` for a computation around the net, such as its softmax. `name` tells the computations on one net apart: those of one name
 * must compute the same.
 */
export function predictWith<T>(model: Module<unknown>, name: string, compute: (x: Tensor) => T, x: Tensor): T {
  const { backend, state } = engine();
  if (state.gradientDepth === 0 && PREDICT in backend) {
    return (backend as unknown as PredictingBackend)[PREDICT](model, name, compute, x);
  }
  return tidy(() => compute(x) as TensorContainer) as unknown as T;
}
