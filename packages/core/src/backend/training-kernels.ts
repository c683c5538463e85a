import { engine, getBackend, getKernel } from '@tensorflow/tfjs-core';
import { BackendError } from '../errors.js';

/**
 * What a training step needs from tfjs' kernels: for the layers, their gradients, the loss and the optimizer. Gradients of
 * convolutions are not among them: `ops/conv2d.ts` composes them where a backend has none.
 */
const trainingKernels = [
  ...['Conv2D', 'DepthwiseConv2dNative', 'MaxPool', 'MaxPoolGrad', 'AvgPool', 'AvgPoolGrad', 'FusedBatchNorm', 'BatchMatMul'],
  ...['PadV2', 'Slice', 'StridedSlice', 'Concat', 'SplitV', 'Pack', 'Transpose', 'Reverse', 'Reshape', 'Tile', 'Cast'],
  ...['Add', 'Sub', 'Multiply', 'RealDiv', 'AddN', 'SquaredDifference', 'Sum', 'Mean', 'Max', 'Maximum', 'Minimum'],
  ...['Relu', 'Relu6', 'Step', 'Sigmoid', 'Tanh', 'Softplus', 'Erf', 'Softmax'],
  ...['Sqrt', 'Rsqrt', 'Square', 'Exp', 'Log', 'Log1p', 'Neg', 'Abs'],
];

/** The kernels of training that a backend (tfjs' name; default: the current one) lacks. */
export function missingTrainingKernels(backend: string = getBackend()): string[] {
  return trainingKernels.filter((name) => !getKernel(name, backend));
}

/** Throws `BackendError` when the current backend cannot train: before the first step, and not at some op in its middle. */
export function requireTrainingKernels(): void {
  if (!engine().backendName) throw new BackendError('No backend is chosen: call await selectBackend() before training.');
  const missing = missingTrainingKernels();
  if (missing.length === 0) return;
  throw new BackendError(
    `The ${getBackend()} backend can run models but not train them: it lacks ${missing.join(', ')}. ` +
      `Train on another one: selectBackend() or --backend picks it.`,
  );
}
