import { getBackend, getKernel } from '@tensorflow/tfjs-core';
import { BackendError } from '../errors.js';

/** What a training step runs on the device: the layers, their gradients, the loss and the optimizer. */
const trainingKernels = [
  ...['Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter'],
  ...['DepthwiseConv2dNative', 'DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter'],
  ...['MaxPool', 'MaxPoolGrad', 'AvgPool', 'AvgPoolGrad', 'PadV2', 'Slice', 'Concat', 'Transpose', 'Reshape'],
  ...['BatchMatMul', 'Add', 'Sub', 'Multiply', 'RealDiv', 'AddN', 'Sum', 'Mean', 'Sqrt', 'Rsqrt', 'Square', 'Exp', 'Log'],
  ...['Relu', 'Step', 'Sigmoid', 'LogSoftmax', 'Softmax', 'OneHot', 'Select', 'Greater', 'Cast', 'Tile'],
];

/** The kernels of training that a backend (tfjs' name; default: the current one) lacks. */
export function missingTrainingKernels(backend: string = getBackend()): string[] {
  return trainingKernels.filter((name) => !getKernel(name, backend));
}

/** Throws `BackendError` when the current backend cannot train: before the first step, and not at some op in its middle. */
export function requireTrainingKernels(): void {
  const missing = missingTrainingKernels();
  if (missing.length === 0) return;
  throw new BackendError(
    `The ${getBackend()} backend can run models but not train them: it lacks ${missing.join(', ')}. ` +
      `Train on another one: selectBackend() or --backend picks it.`,
  );
}
