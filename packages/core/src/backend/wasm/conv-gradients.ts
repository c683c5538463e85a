import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { type TensorInfo, backend_util } from '@tensorflow/tfjs-core';
import type { ConvPlan } from '../../ops/conv2d.js';
import type { Axis } from '../../ops/window.js';
import { filterGradient } from './filter-gradient.js';
import { type Call, original, register } from './heap.js';
import { inputGradient } from './input-gradient.js';

type Shape4D = [number, number, number, number];

/** What tfjs passes to its convolution gradients. */
interface TfjsAttributes {
  readonly strides: [number, number] | number;
  readonly pad: 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];
  readonly dilations?: [number, number] | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dataFormat?: 'NHWC';
}
type InputAttributes = TfjsAttributes & { readonly inputShape: Shape4D };
type FilterAttributes = TfjsAttributes & { readonly filterShape: Shape4D };

/** Registers convkit's own gradients of convolutions, which know groups and dilation, and those that tfjs asks for by name. */
export function registerConvGradients(): void {
  const forward = { dense: original('Conv2D'), depthwise: original('DepthwiseConv2dNative') };
  const toInput = (backend: BackendWasm, { dy, filter }: Record<'dy' | 'filter', TensorInfo>, plan: ConvPlan) =>
    inputGradient(backend, dy, filter, plan, forward);

  register('ConvkitConv2dInputGradient', ({ inputs, attrs, backend }: Call<'dy' | 'filter', ConvPlan>) => [
    toInput(backend, inputs, attrs),
  ]);
  register('ConvkitConv2dFilterGradient', ({ inputs, attrs, backend }: Call<'x' | 'dy', ConvPlan>) => [
    filterGradient(backend, inputs.x, inputs.dy, attrs),
  ]);
  register('Conv2DBackpropInput', ({ inputs, attrs, backend }: Call<'dy' | 'filter', InputAttributes>) =>
    toInput(backend, inputs, planOf(attrs.inputShape, inputs.filter.shape as Shape4D, attrs, false)),
  );
  register('DepthwiseConv2dNativeBackpropInput', ({ inputs, attrs, backend }: Call<'dy' | 'filter', InputAttributes>) => {
    const { dy, filter } = inputs;
    const plan = planOf(attrs.inputShape, filter.shape as Shape4D, attrs, true);
    const [kh, kw, cin, multiplier] = filter.shape as Shape4D;
    return toInput(backend, { dy, filter: { ...filter, shape: [kh, kw, 1, cin * multiplier] } }, plan);
  });
  register('Conv2DBackpropFilter', ({ inputs: { x, dy }, attrs, backend }: Call<'x' | 'dy', FilterAttributes>) =>
    filterGradient(backend, x, dy, planOf(x.shape as Shape4D, attrs.filterShape, attrs, false)),
  );
  register(
    'DepthwiseConv2dNativeBackpropFilter',
    ({ inputs: { x, dy }, attrs, backend }: Call<'x' | 'dy', FilterAttributes>) => ({
      ...filterGradient(backend, x, dy, planOf(x.shape as Shape4D, attrs.filterShape, attrs, true)),
      shape: attrs.filterShape,
    }),
  );
}

function planOf(xShape: Shape4D, filterShape: Shape4D, attrs: TfjsAttributes, depthwise: boolean): ConvPlan {
  if (attrs.dataFormat !== undefined && attrs.dataFormat !== 'NHWC') {
    throw new Error(`The wasm backend computes gradients of convolutions in NHWC only, not in ${String(attrs.dataFormat)}.`);
  }
  const { strides, dilations = 1, pad, dimRoundingMode } = attrs;
  const info = backend_util.computeConv2DInfo(xShape, filterShape, strides, dilations, pad, dimRoundingMode, depthwise);
  const height: Axis = {
    in: info.inHeight,
    out: info.outHeight,
    before: info.padInfo.top,
    after: info.padInfo.bottom,
    kernel: info.filterHeight,
    stride: info.strideHeight,
    dilation: info.dilationHeight,
  };
  const width: Axis = {
    in: info.inWidth,
    out: info.outWidth,
    before: info.padInfo.left,
    after: info.padInfo.right,
    kernel: info.filterWidth,
    stride: info.strideWidth,
    dilation: info.dilationWidth,
  };
  return { height, width, groups: depthwise ? info.inChannels : 1 };
}
