import {
  type Rank,
  type Tensor,
  type Tensor4D,
  concat,
  conv2d as denseConv2d,
  depthwiseConv2d,
  fused,
  getBackend,
  mul,
  reshape,
  reverse,
  slice,
  split,
  stack,
  sum,
  transpose,
} from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { defineOp, hasKernel, runKernel } from './op.js';
import { type Axis, everyNth, extent, insertZeros, padOrCrop } from './window.js';

/** Zeros on each side of [height, width]; `'same'` pads as TensorFlow does, with one more below and on the right where uneven. */
export type Padding = 'same' | readonly [height: number, width: number];

export interface ConvOptions {
  readonly stride: readonly [height: number, width: number];
  readonly padding: Padding;
  readonly dilation: readonly [height: number, width: number];
  readonly groups: number;
}

/** A convolution's plan: the windows along both axes, and the channel groups. */
export interface ConvPlan {
  readonly height: Axis;
  readonly width: Axis;
  readonly groups: number;
}

/**
 * Convolution: [N,H,W,cin] ∗ [kh,kw,cin/groups,cout] → [N,H',W',cout], H' = ⌊(H + 2p − d·(kh − 1) − 1) / s⌋ + 1.
 * The bias [cout] is added by the backend's own kernel, without another pass over the result. Differentiable in all on every
 * backend. Throws ShapeError where the shapes do not fit together.
 */
export function conv2d(x: Tensor4D, filter: Tensor4D, options: ConvOptions, bias?: Tensor): Tensor4D {
  const attrs = plan(x.shape, filter.shape, options);
  if (!bias) return convolution({ x, filter }, attrs)[0] as Tensor4D;
  if (bias.rank !== 1 || bias.size !== filter.shape[3]) {
    throw new ShapeError(`conv2d: a filter [${filter.shape}] takes a bias [${filter.shape[3]}], not [${bias.shape}].`);
  }
  return biasedConvolution({ x, filter, bias }, attrs)[0] as Tensor4D;
}

export const convolution = defineOp<'x' | 'filter', ConvPlan>({
  name: 'Conv2d',
  save: { inputs: ['x', 'filter'] },
  forward: ({ x, filter }, p) => [forward(x as Tensor4D, filter as Tensor4D, p)],
  gradient: ([dy], [x, filter], p) => ({
    x: () => inputGradient({ dy: dy, filter: filter }, p)[0],
    filter: () => filterGradient({ x: x, dy: dy }, p)[0],
  }),
});

const biasedConvolution = defineOp<'x' | 'filter' | 'bias', ConvPlan>({
  name: 'Conv2dBias',
  save: { inputs: ['x', 'filter'] },
  forward: ({ x, filter, bias }, p) => [forward(x as Tensor4D, filter as Tensor4D, p, bias)],
  gradient: ([dy], [x, filter], p) => ({
    x: () => inputGradient({ dy: dy, filter: filter }, p)[0],
    filter: () => filterGradient({ x: x, dy: dy }, p)[0],
    bias: () => sum(dy, [0, 1, 2]),
  }),
});

export const inputGradient = defineOp<'dy' | 'filter', ConvPlan>({
  name: 'Conv2dInputGradient',
  forward: ({ dy, filter }, p) => [inputGradientOf(dy as Tensor4D, filter as Tensor4D, p)],
});

export const filterGradient = defineOp<'x' | 'dy', ConvPlan>({
  name: 'Conv2dFilterGradient',
  forward: ({ x, dy }, p) => [filterGradientOf(x as Tensor4D, dy as Tensor4D, p)],
});

function plan(xShape: readonly number[], filterShape: readonly number[], options: ConvOptions): ConvPlan {
  const { stride, padding, dilation, groups } = options;
  if (xShape.length !== 4 || filterShape.length !== 4) {
    throw new ShapeError(
      `conv2d takes x [N,H,W,cin] and a filter [kh,kw,cin/groups,cout], not [${xShape}] and [${filterShape}].`,
    );
  }
  const [, h, w, cin] = xShape as [number, number, number, number];
  const [kh, kw, depth, cout] = filterShape as [number, number, number, number];
  if (depth * groups !== cin || cout % groups !== 0) {
    throw new ShapeError(
      `conv2d: x [${xShape}] has ${cin} channels; a filter [${filterShape}] with groups (= ${groups}) takes ${depth * groups}` +
        (cout % groups === 0 ? '.' : `, and its ${cout} outputs do not divide by groups.`),
    );
  }
  const axis = (i: 0 | 1, size: number, kernel: number): Axis => {
    const before = padding === 'same' ? -1 : padding[i];
    return windows(size, kernel, stride[i], dilation[i], before);
  };
  const result = { height: axis(0, h, kh), width: axis(1, w, kw), groups };
  if (result.height.out < 1 || result.width.out < 1) {
    throw new ShapeError(
      `conv2d: an input of ${h}×${w} is smaller than the kernel ${kh}×${kw} (padding ${String(padding)}, dilation ${dilation.join()}).`,
    );
  }
  return result;
}

/** `pad` < 0 stands for TensorFlow's SAME. */
function windows(size: number, kernel: number, stride: number, dilation: number, pad: number): Axis {
  const span = extent(kernel, dilation);
  if (pad >= 0) {
    const out = Math.floor((size + 2 * pad - span) / stride) + 1;
    return { in: size, out, before: pad, after: pad, kernel, stride, dilation };
  }
  const out = Math.ceil(size / stride);
  const total = Math.max(0, (out - 1) * stride + span - size);
  const before = Math.floor(total / 2);
  return { in: size, out, before, after: total - before, kernel, stride, dilation };
}

type ExplicitPadding = [[0, 0], [number, number], [number, number], [0, 0]];

/** Runs `compute` on the padded input: natively where the backend takes explicit padding, else on a padded copy. */
function padded(x: Tensor4D, p: ConvPlan, compute: (x: Tensor4D, pad: ExplicitPadding | 'valid') => Tensor4D): Tensor4D {
  const top: [number, number] = [p.height.before, p.height.after];
  const left: [number, number] = [p.width.before, p.width.after];
  if ([...top, ...left].every((amount) => amount === 0)) return compute(x, 'valid');
  if (getBackend() === 'tensorflow') return compute(padOrCrop(x, top, left), 'valid');
  return compute(x, [[0, 0], top, left, [0, 0]]);
}

const strides = (p: ConvPlan): [number, number] => [p.height.stride, p.width.stride];
const dilations = (p: ConvPlan): [number, number] => [p.height.dilation, p.width.dilation];
const isOne = ([a, b]: readonly [number, number]): boolean => a === 1 && b === 1;
const isDepthwise = (p: ConvPlan, cin: number): boolean => p.groups > 1 && p.groups === cin;

function forward(x: Tensor4D, filter: Tensor4D, p: ConvPlan, bias?: Tensor): Tensor4D {
  const [, , , cin] = x.shape;
  const [kh, kw, , cout] = filter.shape;
  if (isDepthwise(p, cin)) {
    const own = reshape<Rank.R4>(filter, [kh, kw, cin, cout / cin]);
    return run(x, p, (input, strides, pad) => {
      if (!bias) return depthwiseConv2d(input, own, strides, pad as 'valid', 'NHWC', dilations(p));
      return fused.depthwiseConv2d({ x: input, filter: own, strides, pad: pad as 'valid', dilations: dilations(p), bias });
    });
  }
  if (p.groups > 1) {
    const [xs, filters] = [split(x, p.groups, 3), split(filter, p.groups, 3)];
    const biases = bias && split(bias, p.groups);
    return concat(
      xs.map((part, i) => forward(part as Tensor4D, filters[i] as Tensor4D, { ...p, groups: 1 }, biases?.[i])),
      3,
    );
  }
  return run(x, p, (input, strides, pad) => {
    if (!bias) return denseConv2d(input, filter, strides, pad, 'NHWC', dilations(p));
    return fused.conv2d({ x: input, filter, strides, pad, dilations: dilations(p), bias });
  });
}

type Compute = (x: Tensor4D, strides: [number, number], pad: ExplicitPadding | 'valid') => Tensor4D;

/** tfjs takes a stride or a dilation; for both, every s-th pixel of the result with stride 1 is kept. */
function run(x: Tensor4D, p: ConvPlan, compute: Compute): Tensor4D {
  const withStride = (stride: [number, number]) => padded(x, p, (input, pad) => compute(input, stride, pad));
  if (isOne(strides(p)) || isOne(dilations(p))) return withStride(strides(p));
  return everyNth(withStride([1, 1]), [0, 0], [p.height.out, p.width.out], strides(p));
}

function inputGradientOf(dy: Tensor4D, filter: Tensor4D, p: ConvPlan): Tensor4D {
  const [n] = dy.shape;
  const [kh, kw, depth, cout] = filter.shape;
  const cin = depth * p.groups;
  const depthwise = isDepthwise(p, cin);
  if (p.groups > 1 && !depthwise) {
    const filters = split(filter, p.groups, 3);
    const parts = split(dy, p.groups, 3).map((part, i) =>
      inputGradientOf(part as Tensor4D, filters[i] as Tensor4D, { ...p, groups: 1 }),
    );
    return concat(parts, 3);
  }
  const kernel = depthwise ? 'DepthwiseConv2dNativeBackpropInput' : 'Conv2DBackpropInput';
  if (isOne(dilations(p)) && hasKernel(kernel)) {
    const own = depthwise ? reshape(filter, [kh, kw, cin, cout / cin]) : filter;
    return nativeInputGradient(n, cin, p, (attrs) => runKernel(kernel, { dy, filter: own }, attrs) as Tensor4D);
  }
  // The transposed convolution: dx = (dy with zeros between its pixels) ∗ (filter, flipped, its channels swapped), stride 1.
  const [top, left] = [p.height, p.width].map((axis): [number, number] => {
    const reach = (axis.kernel - 1) * axis.dilation;
    return [reach - axis.before, axis.in - axis.out * axis.stride + axis.before];
  }) as [[number, number], [number, number]];
  const spread = padOrCrop(insertZeros(dy, strides(p)), top, left);
  const flipped = reverse(filter, [0, 1]);
  if (!depthwise) return denseConv2d(spread, transpose(flipped, [0, 1, 3, 2]), 1, 'valid', 'NHWC', dilations(p));
  const perOutput = depthwiseConv2d(spread, reshape<Rank.R4>(flipped, [kh, kw, cout, 1]), 1, 'valid', 'NHWC', dilations(p));
  if (cout === cin) return perOutput;
  return sum<Tensor4D>(reshape(perOutput, [n, p.height.in, p.width.in, cin, cout / cin]), 4);
}

/** tfjs' own kernel; on a padded input where the backend takes no explicit padding. */
function nativeInputGradient(n: number, cin: number, p: ConvPlan, run: (attrs: object) => Tensor4D): Tensor4D {
  const { height: h, width: w } = p;
  const attrs = { strides: strides(p), dilations: [1, 1], dataFormat: 'NHWC', dimRoundingMode: undefined };
  const pads = [h.before, h.after, w.before, w.after];
  if (pads.every((amount) => amount === 0)) return run({ ...attrs, pad: 'valid', inputShape: [n, h.in, w.in, cin] });
  if (getBackend() !== 'tensorflow') {
    const pad = [
      [0, 0],
      [h.before, h.after],
      [w.before, w.after],
      [0, 0],
    ];
    return run({ ...attrs, pad, inputShape: [n, h.in, w.in, cin] });
  }
  const whole = run({ ...attrs, pad: 'valid', inputShape: [n, h.in + h.before + h.after, w.in + w.before + w.after, cin] });
  return slice(whole, [0, h.before, w.before, 0], [n, h.in, w.in, cin]);
}

function filterGradientOf(x: Tensor4D, dy: Tensor4D, p: ConvPlan): Tensor4D {
  const [n, , , cin] = x.shape;
  const [, oh, ow, cout] = dy.shape;
  const depthwise = isDepthwise(p, cin);
  if (p.groups > 1 && !depthwise) {
    const dys = split(dy, p.groups, 3);
    return concat(
      split(x, p.groups, 3).map((part, i) => filterGradientOf(part as Tensor4D, dys[i] as Tensor4D, { ...p, groups: 1 })),
      3,
    );
  }
  const [kh, kw] = [p.height.kernel, p.width.kernel];
  const shape: [number, number, number, number] = [kh, kw, depthwise ? 1 : cin, cout];
  const kernel = depthwise ? 'DepthwiseConv2dNativeBackpropFilter' : 'Conv2DBackpropFilter';
  // The cpu backend's own kernel is 30 to 80 times slower than the convolution below.
  if (isOne(dilations(p)) && getBackend() !== 'cpu' && hasKernel(kernel)) {
    const filterShape = depthwise ? [kh, kw, cin, cout / cin] : shape;
    const attrs = { strides: strides(p), dilations: [1, 1], dataFormat: 'NHWC', dimRoundingMode: undefined, filterShape };
    return reshape(
      padded(x, p, (input, pad) => runKernel(kernel, { x: input, dy }, { ...attrs, pad }) as Tensor4D),
      shape,
    );
  }
  const input = padOrCrop(x, [p.height.before, p.height.after], [p.width.before, p.width.after]);
  if (!depthwise) return correlation(input, dy, p);
  // Tap by tap: the pixels that this tap of the filter saw, against dy.
  const pixels = n * oh * ow;
  const taps: Tensor[] = [];
  for (let ky = 0; ky < kh; ky++) {
    for (let kx = 0; kx < kw; kx++) {
      const seen = everyNth(input, [ky * p.height.dilation, kx * p.width.dilation], [oh, ow], strides(p));
      taps.push(sum(mul(reshape(seen, [pixels, cin, 1]), reshape(dy, [pixels, cin, cout / cin])), 0));
    }
  }
  return reshape(stack(taps), shape);
}

/** The filter's gradient as a convolution of x with dy in which images and channels, and stride and dilation, change places. */
function correlation(padded: Tensor4D, dy: Tensor4D, p: ConvPlan): Tensor4D {
  const both = !isOne(strides(p)) && !isOne(dilations(p));
  const [top, left] = [1 - p.height.stride, 1 - p.width.stride];
  const spread = both ? padOrCrop(insertZeros(dy, strides(p)), [0, top], [0, left]) : dy;
  const images = transpose(padded, [3, 1, 2, 0]);
  const taps = denseConv2d(images, transpose(spread, [1, 2, 0, 3]), dilations(p), 'valid', 'NHWC', both ? [1, 1] : strides(p));
  // Rows and columns that the last window did not reach can leave results beyond the filter.
  const [cin, , , cout] = taps.shape;
  return transpose(slice(taps, [0, 0, 0, 0], [cin, p.height.kernel, p.width.kernel, cout]), [1, 2, 0, 3]);
}
