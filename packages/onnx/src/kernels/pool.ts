import {
  type AvgPoolAttrs,
  type AvgPoolGradAttrs,
  type MaxPoolAttrs,
  type MaxPoolGradAttrs,
  backend_util,
} from '@tensorflow/tfjs-core';
import { type Slot, Value, op, ops, raw, reshaped } from '../graph.js';
import { NCHW } from '../layout.js';
import { filled } from './elementwise.js';
import { type KernelTable, kernel } from './kernel.js';

type Shape4 = [number, number, number, number];
type Windows = Pick<MaxPoolAttrs, 'filterSize' | 'strides' | 'pad' | 'dimRoundingMode'>;

interface Plan {
  readonly shape: Shape4;
  readonly attributes: Record<string, readonly number[]>;
  readonly size: number;
}

/** Windows as ONNX says them. Zeros after the input are as many as the last window needs, whatever way tfjs rounded. */
function planOf(x: readonly number[], { filterSize, strides, pad, dimRoundingMode }: Windows): Plan {
  const info = backend_util.computePool2DInfo(x as Shape4, filterSize, strides, 1, pad, dimRoundingMode);
  const { top, left } = info.padInfo;
  const after = (out: number, stride: number, kernel: number, size: number, before: number) =>
    Math.max(0, (out - 1) * stride + kernel - size - before);
  const bottom = after(info.outHeight, info.strideHeight, info.filterHeight, info.inHeight, top);
  const right = after(info.outWidth, info.strideWidth, info.filterWidth, info.inWidth, left);
  return {
    shape: info.outShape,
    attributes: {
      kernel_shape: [info.filterHeight, info.filterWidth],
      strides: [info.strideHeight, info.strideWidth],
      pads: [top, left, bottom, right],
    },
    size: info.filterHeight * info.filterWidth,
  };
}

const dims = ([n, h, w, c]: readonly number[]): number[] => [n, c, h, w];
const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

export const poolKernels: KernelTable = {
  MaxPool: kernel<MaxPoolAttrs>(({ x }, attrs) => {
    const { shape, attributes } = planOf(x.shape, attrs);
    return op('MaxPool', [x.in(NCHW)], { shape, layout: NCHW }, attributes);
  }),

  // The largest element of each window, the first of equals, gets the gradient: its place in memory is ONNX' second output.
  MaxPoolGrad: kernel<MaxPoolGradAttrs>(({ dy, input }, attrs) => {
    const { shape, attributes } = planOf(input.shape, attrs);
    const places = maxPlaces(input.in(NCHW), dims(shape), attributes);
    const gradients = reshaped(dy.in(NCHW), [size(shape)]);
    const zeros = filled([input.size], 0, 'float32').slot;
    const scattered = raw('ScatterElements', [zeros, places, gradients], [input.size], { axis: 0, reduction: 'add' });
    return new Value(reshaped(scattered, dims(input.shape)), input.shape, NCHW);
  }),

  AvgPool: kernel<AvgPoolAttrs>(({ x }, attrs) => {
    const { shape, attributes } = planOf(x.shape, attrs);
    return op('AveragePool', [x.in(NCHW)], { shape, layout: NCHW }, { ...attributes, count_include_pad: 0 });
  }),

  // Each window hands its gradient, divided by its number of elements, to all of them: a transposed convolution with ones.
  AvgPoolGrad: kernel<AvgPoolGradAttrs>(({ dy, input }, attrs) => {
    const { attributes, size: count } = planOf(input.shape, attrs);
    if (attributes.pads.some((amount) => amount > 0)) return undefined;
    const [n, h, w, c] = input.shape as Shape4;
    const [kernelShape, strides] = [attributes.kernel_shape, attributes.strides];
    const planes = reshaped(dy.in(NCHW), [n * c, 1, dy.shape[1], dy.shape[2]]);
    const weights = filled([1, 1, ...kernelShape], 1 / count, 'float32').slot;
    const rest = [h, w].map((whole, i) => whole - ((dy.shape[1 + i] - 1) * strides[i] + kernelShape[i]));
    const spread = raw('ConvTranspose', [planes, weights], [n * c, 1, h, w], {
      kernel_shape: kernelShape,
      strides,
      output_padding: rest,
    });
    return new Value(reshaped(spread, [n, c, h, w]), input.shape, NCHW);
  }),
};

/** The place of each window's largest element in the flat input. */
function maxPlaces(x: Slot, shape: readonly number[], attributes: Record<string, readonly number[]>): Slot {
  const [, places] = ops('MaxPool', [x], [{ shape }, { shape, dtype: 'int64' }], attributes);
  return reshaped(places.slot, [size(shape)]);
}
