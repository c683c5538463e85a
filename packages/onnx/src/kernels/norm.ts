import type { FusedBatchNormAttrs } from '@tensorflow/tfjs-core';
import { type Slot, Value, constant, raw, reshaped, view } from '../graph.js';
import { NCHW, inverse } from '../layout.js';
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

/** A mean or sum over each channel: [C]. */
function perChannel(name: 'ReduceMean' | 'ReduceSum', x: Slot, axis: number): Slot {
  const axes = x.dims.flatMap((_, i) => (i === axis ? [] : [i]));
  if (name === 'ReduceMean') return raw(name, [x], [x.dims[axis]], { axes, keepdims: 0 });
  return raw(name, [x, constant(axes, [axes.length], 'int64')], [x.dims[axis]], { keepdims: 0 });
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
  view(x, `${MEAN} ${axis}`, () => ofParts(x, axis, meanOf, 0) ?? perChannel('ReduceMean', x, axis));

/** x − mean: statistics, output and gradient of a training step all take it, so that x need not be kept for the backward pass. */
const centred = (x: Slot, axis: number): Slot =>
  view(x, `centred ${axis}`, () => ofParts(x, axis, centred, axis) ?? sub(x, spread(meanOf(x, axis), x, axis)));

const varianceOf = (x: Slot, axis: number): Slot =>
  view(x, `variance of ${axis}`, () => {
    const difference = () => centred(x, axis);
    return ofParts(x, axis, varianceOf, 0) ?? perChannel('ReduceMean', mul(difference(), difference()), axis);
  });

/** Whether this is the mean that `ConvkitChannelStatistics` gave for x. */
const isOwnMean = (x: Slot, axis: number, mean: Slot): boolean => x.views.get(`${MEAN} ${axis}`) === mean;

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
      const y = mul(centred(x.slot, axis), spread(factor, x.slot, axis));
      return new Value(offset ? add(y, spread(offset.in(), x.slot, axis)) : y, x.shape, x.layout);
    }
    const shift = mul(mean.in(), factor);
    const rest = offset ? sub(offset.in(), shift) : raw('Neg', [shift], mean.shape);
    return new Value(add(mul(x.slot, spread(factor, x.slot, axis)), spread(rest, x.slot, axis)), x.shape, x.layout);
  }),

  ConvkitChannelStatistics: kernel(({ x }) => {
    const shape = [x.shape.at(-1)!];
    return [meanOf, varianceOf].map((statistic) => new Value(statistic(x.slot, channelAxis(x)), shape));
  }),

  // With M values a channel, r = 1/√(variance + eps), a = scale · r and Σ over a channel:
  // dScale = r · Σdy·(x − mean), dx = a · dy − a · r/M · dScale · (x − mean) − a/M · Σdy.
  ConvkitBatchNormTrainingGradient: kernel<{ eps: number }>(({ dy, x, scale, mean, variance }, { eps }) => {
    const axis = channelAxis(x);
    const shape = [x.shape.at(-1)!];
    const perValue = (vector: Slot) => spread(vector, x.slot, axis);
    const gradient = dy.in(x.layout);
    const difference = centredAgain(x.slot, axis, mean.in());
    const r = raw('Reciprocal', [deviation(variance.in(), eps)], shape);
    const dOffset = perChannel('ReduceSum', gradient, axis);
    const dScale = mul(r, perChannel('ReduceSum', mul(gradient, difference), axis));
    const a = mul(scale.in(), r);
    const share = mul(a, constant(-shape[0] / x.size));
    const b = mul(mul(share, r), dScale);
    const dx = add(add(mul(gradient, perValue(a)), mul(difference, perValue(b))), perValue(mul(share, dOffset)));
    return [new Value(dx, x.shape, x.layout), new Value(dScale, shape), new Value(dOffset, shape)];
  }),
};
