import {
  type Conv2DAttrs,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropInputAttrs,
  type DepthwiseConv2dNativeAttrs,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type FusedConv2DAttrs,
  backend_util,
} from '@tensorflow/tfjs-core';
import { type Attributes, type Slot, Value, op, recording, reshaped, transposed } from '../graph.js';
import { NCHW, OIHW, physical } from '../layout.js';
import { blockedConv, blockedDepthwise, fitsBlocks, fitsDepthwiseBlocks } from './blocked.js';
import { elementwise } from './broadcast.js';
import { type Axis, type ConvPlan, end, extent } from './conv-plan.js';
import { activated } from './elementwise.js';
import { filterGradient } from './filter-gradient.js';
import { type KernelTable, kernel } from './kernel.js';
import { turned } from './turned.js';

/** ONNX' pads: zeros above, left, below, right. */
const padding = ({ height, width }: ConvPlan): number[] => [
  ...[height.before, width.before],
  ...[Math.max(0, end(height)), Math.max(0, end(width))],
];

/** y = x ∗ filter: [N,H,W,cin] ∗ [kh,kw,cin/groups,cout] → [N,H',W',cout]. */
export function convolve(x: Value, filter: Value, p: ConvPlan, bias?: Value): Value {
  const shape = [x.shape[0], p.height.out, p.width.out, filter.shape[3]];
  const pads = recording.portable ? portablePadding(p) : { pads: padding(p) };
  return convolution(x.in(NCHW), filter.in(OIHW), shape, { ...attributes(p), ...pads }, bias?.in());
}

/**
 * The same padding, said in a way that holds for any size: the net's own on both sides, where `padding` leaves out what no window
 * reads; or TensorFlow's rule, of which uneven sides are the sign.
 */
function portablePadding(p: ConvPlan): Attributes {
  const axes = [p.height, p.width];
  if (axes.every((axis) => axis.before === axis.after && axis.after >= end(axis) && axis.after < end(axis) + axis.stride)) {
    return { pads: [p.height.before, p.width.before, p.height.after, p.width.after] };
  }
  return axes.every(isSame) ? { auto_pad: 'SAME_UPPER' } : { pads: padding(p) };
}

/** As many windows as strides begin, and the odd element of padding after the input. */
function isSame(axis: Axis): boolean {
  const total = Math.max(0, end({ ...axis, before: 0 }));
  return axis.out === Math.ceil(axis.in / axis.stride) && axis.before === total >> 1 && axis.after === total - axis.before;
}

type OnnxWindows = Attributes & { readonly group: number };

/** Chooses the faster of ONNX Runtime's two convolutions. */
function convolution(x: Slot, filter: Slot, shape: readonly number[], windows: OnnxWindows, bias?: Slot): Value {
  const dims = physical(shape, NCHW);
  const { group } = windows;
  const sizes = { cin: x.dims[1], cout: dims[1], taps: filter.dims[2] * filter.dims[3] };
  if (!bias && group === 1 && fitsBlocks(sizes, dims[0] * dims[2] * dims[3])) {
    return new Value(blockedConv(x, filter, dims, windows), shape, NCHW);
  }
  if (!bias && group === x.dims[1] && group === dims[1] && fitsDepthwiseBlocks(group)) {
    return new Value(blockedDepthwise(x, filter, dims, windows), shape, NCHW);
  }
  return op('Conv', [x, filter, ...(bias ? [bias] : [])], { shape, layout: NCHW }, windows);
}

const attributes = ({ height, width, groups }: ConvPlan) => ({
  kernel_shape: [height.kernel, width.kernel],
  strides: [height.stride, width.stride],
  dilations: [height.dilation, width.dilation],
  group: groups,
});

/** The gradient of the input: [N,H',W',cout], [kh,kw,cin/groups,cout] → [N,H,W,cin]. */
export function inputGradient(dy: Value, filter: Value, p: ConvPlan): Value {
  const { height, width, groups } = p;
  const shape = [dy.shape[0], height.in, width.in, filter.shape[2] * groups];
  const [top, left] = [height, width].map((axis) => extent(axis) - 1 - axis.before);
  const pads = [top, left, height.in - height.out + height.before, width.in - width.out + width.before];
  if (height.stride * width.stride > 1 || pads.some((amount) => amount < 0)) {
    const output_padding = [height, width].map((axis) => Math.max(0, -end(axis)));
    const windows = { ...attributes(p), pads: padding(p), output_padding };
    return op('ConvTranspose', [dy.in(NCHW), filter.in(OIHW)], { shape, layout: NCHW }, windows);
  }
  // With stride 1, and no more padding than the filter reaches: a convolution with the filter flipped and its channels swapped.
  const windows = { ...attributes(p), pads };
  const dims = physical(shape, NCHW);
  const sizes = { cin: dy.shape[3], cout: dims[1], taps: height.kernel * width.kernel };
  if (groups === 1 && fitsBlocks(sizes, dims[0] * dims[2] * dims[3])) {
    return new Value(blockedConv(dy.in(NCHW), filter.in(OIHW), dims, windows, true), shape, NCHW);
  }
  return convolution(dy.in(NCHW), flip(filter.in(OIHW), groups), shape, windows);
}

/** [cout, cin/groups, kh, kw] → [cin, cout/groups, kh, kw], each filter turned by half a turn. */
function flip(filter: Slot, groups: number): Slot {
  const [cout, depth, kh, kw] = filter.dims;
  const grouped = reshaped(turned(filter), [groups, cout / groups, depth, kh * kw]);
  return reshaped(transposed(grouped, [0, 2, 1, 3]), [depth * groups, cout / groups, kh, kw]);
}

/** tfjs' description of a convolution as a plan. */
function planOf(info: backend_util.Conv2DInfo, groups: number): ConvPlan {
  const { padInfo } = info;
  return {
    height: axisOf(
      info.inHeight,
      info.outHeight,
      padInfo.top,
      padInfo.bottom,
      info.filterHeight,
      info.strideHeight,
      info.dilationHeight,
    ),
    width: axisOf(
      info.inWidth,
      info.outWidth,
      padInfo.left,
      padInfo.right,
      info.filterWidth,
      info.strideWidth,
      info.dilationWidth,
    ),
    groups,
  };
}

function axisOf(
  size: number,
  out: number,
  before: number,
  after: number,
  kernel: number,
  stride: number,
  dilation: number,
): Axis {
  return { in: size, out, before, after, kernel, stride, dilation };
}

type Shape4 = [number, number, number, number];
interface Windows {
  readonly strides: [number, number] | number;
  readonly dilations?: [number, number] | number;
  readonly pad: Conv2DAttrs['pad'];
  readonly dimRoundingMode?: Conv2DAttrs['dimRoundingMode'];
}

function densePlan(
  x: readonly number[],
  filter: readonly number[],
  { strides, dilations = 1, pad, dimRoundingMode }: Windows,
): ConvPlan {
  const groups = x[3] / filter[2];
  const full: Shape4 = [filter[0], filter[1], x[3], filter[3]];
  return planOf(backend_util.computeConv2DInfo(x as Shape4, full, strides, dilations, pad, dimRoundingMode, false), groups);
}

function depthwisePlan(x: readonly number[], filter: readonly number[], windows: Windows): ConvPlan {
  const { strides, dilations, pad, dimRoundingMode } = windows;
  const info = backend_util.computeConv2DInfo(x as Shape4, filter as Shape4, strides, dilations ?? 1, pad, dimRoundingMode, true);
  return planOf(info, x[3]);
}

/** [kh,kw,cin,multiplier], tfjs' depthwise filter, as [kh,kw,1,cin·multiplier]. */
function depthwiseFilter(filter: Value): Value {
  const [kh, kw, cin, multiplier] = filter.shape as Shape4;
  const outFirst = transposed(filter.in(), [2, 3, 0, 1]);
  return new Value(reshaped(outFirst, [cin * multiplier, 1, kh, kw]), [kh, kw, 1, cin * multiplier], OIHW);
}

const isNhwc = ({ dataFormat = 'NHWC' }: { dataFormat?: string }): boolean => dataFormat === 'NHWC';

/** Adds what tfjs fuses: an activation after the bias. A bias that is not one number a channel is added by itself. */
function fused(inputs: Readonly<Record<string, Value>>, attrs: FusedConv2DAttrs, convolution: (bias?: Value) => Value) {
  const { bias, preluActivationWeights } = inputs as Readonly<Record<string, Value | undefined>>;
  const channelwise = bias?.rank === 1;
  const y = convolution(channelwise ? bias : undefined);
  const biased = bias && !channelwise ? elementwise('Add', [y, bias]) : y;
  return activated(biased, attrs.activation, attrs.leakyreluAlpha, preluActivationWeights);
}

export const convKernels: KernelTable = {
  Conv2D: kernel<Conv2DAttrs>(({ x, filter }, attrs) =>
    isNhwc(attrs) ? convolve(x, filter, densePlan(x.shape, filter.shape, attrs)) : undefined,
  ),
  FusedConv2D: kernel<FusedConv2DAttrs>((inputs, attrs) => {
    const { x, filter } = inputs;
    if (!isNhwc(attrs)) return undefined;
    return fused(inputs, attrs, (bias) => convolve(x, filter, densePlan(x.shape, filter.shape, attrs), bias));
  }),
  Conv2DBackpropInput: kernel<Conv2DBackpropInputAttrs>(({ dy, filter }, attrs) =>
    isNhwc(attrs) ? inputGradient(dy, filter, densePlan(attrs.inputShape, filter.shape, attrs)) : undefined,
  ),
  Conv2DBackpropFilter: kernel<Conv2DBackpropFilterAttrs>(({ x, dy }, attrs) =>
    isNhwc(attrs) ? filterGradient(x, dy, densePlan(x.shape, attrs.filterShape, attrs)) : undefined,
  ),
  DepthwiseConv2dNative: kernel<DepthwiseConv2dNativeAttrs>(({ x, filter }, attrs) =>
    isNhwc(attrs) ? convolve(x, depthwiseFilter(filter), depthwisePlan(x.shape, filter.shape, attrs)) : undefined,
  ),
  FusedDepthwiseConv2D: kernel<FusedConv2DAttrs>((inputs, attrs) => {
    const { x, filter } = inputs;
    if (!isNhwc(attrs)) return undefined;
    return fused(inputs, attrs, (bias) =>
      convolve(x, depthwiseFilter(filter), depthwisePlan(x.shape, filter.shape, attrs), bias),
    );
  }),
  DepthwiseConv2dNativeBackpropInput: kernel<DepthwiseConv2dNativeBackpropInputAttrs>(({ dy, filter }, attrs) =>
    inputGradient(dy, depthwiseFilter(filter), depthwisePlan(attrs.inputShape, filter.shape, attrs)),
  ),
  DepthwiseConv2dNativeBackpropFilter: kernel<DepthwiseConv2dNativeBackpropFilterAttrs>(({ x, dy }, attrs) => {
    const gradient = filterGradient(x, dy, depthwisePlan(x.shape, attrs.filterShape, attrs));
    const [kh, kw, cin, multiplier] = attrs.filterShape;
    const perOutput = reshaped(gradient.in(OIHW), [cin, multiplier, kh, kw]);
    return new Value(transposed(perOutput, [2, 3, 0, 1]), attrs.filterShape);
  }),

  ConvkitConv2d: kernel<ConvPlan>(({ x, filter }, p) => convolve(x, filter, p)),
  ConvkitConv2dBias: kernel<ConvPlan>(({ x, filter, bias }, p) => convolve(x, filter, p, bias)),
  ConvkitConv2dInputGradient: kernel<ConvPlan>(({ dy, filter }, p) => inputGradient(dy, filter, p)),
  ConvkitConv2dFilterGradient: kernel<ConvPlan>(({ x, dy }, p) => filterGradient(x, dy, p)),
};
