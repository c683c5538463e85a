import type { FusedBatchNormAttrs } from '@tensorflow/tfjs-core';
import { type Slot, Value, constant, raw, reshaped, view } from '../graph.js';
import { NCHW, inverse } from '../layout.js';
import { affine } from './affine.js';
import { type KernelTable, kernel } from './kernel.js';

/** The axis of x's memory along which its channels lie. */
const channelAxis = (x: Value): number => inverse(x.layout)[x.rank - 1];

/** A vector [C] in dimensions that broadcast against x. */
const spread = (vector: Slot, x: Slot, axis: number): Slot =>
  reshaped(
    vector,
    x.dims.map((n, i) => (i === axis ? n : 1)),
  );

const binary = (name: string) => (a: Slot, b: Slot) => {
  const longer = a.dims.length > b.dims.length || size(a.dims) >= size(b.dims) ? a : b;
  return raw(name, [a, b], longer.dims);
};
const size = (dims: readonly number[]): number => dims.reduce((product, n) => product * n, 1);
const [add, sub, mul, div] = [binary('Add'), binary('Sub'), binary('Mul'), binary('Div')];

/** √(variance + eps), recorded once for the output and its gradient. */
function deviation(variance: Slot, eps: number): Slot {
  return view(variance, `√ + ${eps}`, () => {
    const shifted = add(variance, constant(eps));
    return raw('Sqrt', [shifted], shifted.dims);
  });
}

/** A mean over each channel: [C]. ReduceSum takes 1.6 to 2.8 times as long. */
function channelMean(x: Slot, axis: number): Slot {
  const axes = x.dims.flatMap((_, i) => (i === axis ? [] : [i]));
  return raw('ReduceMean', [x], [x.dims[axis]], { axes, keepdims: 0 });
}

/** Pixels of an image from which on a product of two rows of them is faster than their elementwise product and its mean. */
const ENOUGH_PIXELS = 1024;

/** The mean of a · b over each channel: [C]. */
function meanProduct(a: Slot, b: Slot, axis: number): Slot {
  const [n, channels, ...sides] = a.dims;
  const pixels = size(sides);
  if (axis !== 1 || pixels < ENOUGH_PIXELS) return channelMean(mul(a, b), axis);
  const [left, right] = [a, b].map((slot) => reshaped(slot, [n, channels, 1, pixels]));
  const products = raw('com.microsoft:FusedMatMul', [left, right], [n, channels, 1, 1], { transB: 1 });
  return mul(channelMean(products, 1), constant(1 / pixels)); // a factor in the product itself would make it eight times as slow
}

/** scale · x + offset (+ addend) for each channel. */
function scaled(x: Slot, scale: Slot, offset: Slot | undefined, axis: number, addend?: Slot): Slot {
  const fast = offset && axis === 1 && x.dims.length === 4 ? affine(x, scale, offset, addend) : undefined;
  if (fast) return fast;
  const product = mul(x, spread(scale, x, axis));
  const sum = addend ? add(product, addend) : product;
  return offset ? add(sum, spread(offset, x, axis)) : sum;
}

/**
 * What `make` gives for each part of joined channels, joined along an axis of its own; undefined for channels that were not joined.
 * In a dense block, whose layers all join what came before anew, each map is so averaged and centred once.
 */
function ofParts(x: Slot, axis: number, make: (part: Slot, axis: number) => Slot, along: number): Slot | undefined {
  const parts = partsOf(x, axis);
  if (parts.length === 1) return undefined;
  const made = parts.map((part) => make(part, axis));
  const dims = made[0].dims.map((n, i) => (i === along ? x.dims[axis] : n));
  return raw('Concat', made, dims, { axis: along });
}

/** The slots that were joined along an axis. */
function partsOf(x: Slot, axis: number): Slot[] {
  if (x.node?.op !== 'Concat' || x.node.attributes.axis !== axis) return [x];
  return x.node.inputs.flatMap((part) => partsOf(part!, axis));
}

const MEAN = 'mean of';
const meanOf = (x: Slot, axis: number): Slot =>
  view(x, `${MEAN} ${axis}`, () => ofParts(x, axis, meanOf, 0) ?? channelMean(x, axis));

/** x − mean: statistics, output and gradient of a training step all take it, so that x need not be kept for the backward pass. */
const centred = (x: Slot, axis: number): Slot =>
  view(x, `centred ${axis}`, () => ofParts(x, axis, centred, axis) ?? sub(x, spread(meanOf(x, axis), x, axis)));

const varianceOf = (x: Slot, axis: number): Slot =>
  view(x, `variance of ${axis}`, () => {
    const difference = () => centred(x, axis);
    return ofParts(x, axis, varianceOf, 0) ?? meanProduct(difference(), difference(), axis);
  });

/** Whether this is the mean that `ConvkitChannelStatistics` gave for x. */
const isOwnMean = (x: Slot, axis: number, mean: Slot): boolean => x.view(`${MEAN} ${axis}`) === mean;

/** x − mean for the backward pass: joined once more, so that only the parts are kept for it. */
function centredAgain(x: Slot, axis: number, mean: Slot): Slot {
  if (!isOwnMean(x, axis, mean)) return sub(x, spread(mean, x, axis));
  const difference = centred(x, axis);
  const { node, dims } = difference;
  return node?.op === 'Concat' ? raw('Concat', node.inputs, dims, node.attributes) : difference;
}

export const normKernels: KernelTable = {
  FusedBatchNorm: kernel<FusedBatchNormAttrs>((inputs, { varianceEpsilon }) => {
    const { x, mean, variance } = inputs;
    const { scale, offset } = inputs as Readonly<Record<string, Value | undefined>>;
    if (mean.rank !== 1 || x.dtype !== 'float32') return undefined;
    const axis = channelAxis(x);
    const training = isOwnMean(x.slot, axis, mean.in());
    if (!training && scale && offset && x.rank === 4) {
      const image = x.in(NCHW); // in compiled nets, ONNX Runtime takes this node, and the ReLU after it, into a convolution
      const inputs = [image, scale.in(), offset.in(), mean.in(), variance.in()];
      const y = raw('BatchNormalization', inputs, image.dims, { epsilon: { float: varianceEpsilon } });
      return new Value(y, x.shape, NCHW);
    }
    const inverseDeviation = deviation(variance.in(), varianceEpsilon);
    const factor = scale ? div(scale.in(), inverseDeviation) : raw('Reciprocal', [inverseDeviation], mean.shape);
    if (training) {
      return new Value(scaled(centred(x.slot, axis), factor, offset?.in(), axis), x.shape, x.layout);
    }
    const shift = mul(mean.in(), factor);
    const rest = offset ? sub(offset.in(), shift) : raw('Neg', [shift], mean.shape);
    return new Value(add(mul(x.slot, spread(factor, x.slot, axis)), spread(rest, x.slot, axis)), x.shape, x.layout);
  }),

  ConvkitChannelStatistics: kernel(({ x }) => {
    const shape = [x.shape.at(-1)!];
    return [meanOf, varianceOf].map((statistic) => new Value(statistic(x.slot, channelAxis(x)), shape));
  }),

  // With M values a channel, r = 1/√(variance + eps), a = scale · r and means over a channel:
  // dScale = M · r · mean(dy · (x − mean)), dOffset = M · mean(dy), dx = a · (dy − r² · mean(dy · (x − mean)) · (x − mean) − mean(dy)).
  ConvkitBatchNormTrainingGradient: kernel<{ eps: number }>(({ dy, x, scale, mean, variance }, { eps }) => {
    const axis = channelAxis(x);
    const shape = [x.shape.at(-1)!];
    const gradient = dy.in(x.layout);
    const difference = centredAgain(x.slot, axis, mean.in());
    const r = raw('Reciprocal', [deviation(variance.in(), eps)], shape);
    const shift = channelMean(gradient, axis);
    const correlation = mul(r, meanProduct(gradient, difference, axis));
    const a = mul(scale.in(), r);
    const minus = raw('Neg', [a], shape);
    const along = mul(difference, spread(mul(mul(minus, r), correlation), x.slot, axis));
    const dx = scaled(gradient, a, mul(minus, shift), axis, along);
    const count = constant(x.size / shape[0]);
    return [new Value(dx, x.shape, x.layout), new Value(mul(correlation, count), shape), new Value(mul(shift, count), shape)];
  }),
};
