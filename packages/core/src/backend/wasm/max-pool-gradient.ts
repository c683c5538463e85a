import { type KernelFunc, type Tensor4D, backend_util, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

interface Call {
  readonly inputs: Record<'dy' | 'input', Tensor4D>;
  readonly attrs: {
    filterSize: [number, number] | number;
    strides: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  readonly backend: BackendWasm;
}

/** dx of max pooling: each dy goes to the first largest element of its window. tfjs' own loses it where all of a window is negative. */
function maxPoolGradient({ inputs: { dy, input }, attrs, backend }: Call) {
  const plan = backend_util.computePool2DInfo(input.shape, attrs.filterSize, attrs.strides, 1, attrs.pad, attrs.dimRoundingMode);
  const result = backend.makeOutput(input.shape, 'float32');
  const view = (tensor: { dataId: object; shape: number[] }) =>
    backend.typedArrayFromHeap({ dataId: tensor.dataId, shape: tensor.shape, dtype: 'float32' });
  const [dyValues, x, dx] = [view(dy), view(input), view(result)];
  const { batchSize, inHeight, inWidth, inChannels: channels, outHeight, outWidth, filterHeight, filterWidth, padInfo } = plan;
  dx.fill(0);
  let at = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let row = 0; row < outHeight; row++) {
      const top = row * plan.strideHeight - padInfo.top;
      for (let column = 0; column < outWidth; column++) {
        const left = column * plan.strideWidth - padInfo.left;
        const [y0, y1] = [Math.max(0, top), Math.min(inHeight, top + filterHeight)];
        const [x0, x1] = [Math.max(0, left), Math.min(inWidth, left + filterWidth)];
        for (let channel = 0; channel < channels; channel++, at++) {
          let largest = -Infinity;
          let place = -1;
          for (let i = y0; i < y1; i++) {
            let index = ((n * inHeight + i) * inWidth + x0) * channels + channel;
            for (let j = x0; j < x1; j++, index += channels) {
              if (x[index] > largest) {
                largest = x[index]!;
                place = index;
              }
            }
          }
          if (place >= 0) dx[place] += dyValues[at];
        }
      }
    }
  }
  return result;
}

/** Puts the gradient above in the place of tfjs'. */
export function registerMaxPoolGradient(): void {
  const kernel = { kernelName: 'MaxPoolGrad', backendName: 'wasm' };
  unregisterKernel(kernel.kernelName, kernel.backendName);
  registerKernel({ ...kernel, kernelFunc: maxPoolGradient as unknown as KernelFunc });
}
