import type { FusedBatchNormAttrs } from '@tensorflow/tfjs-core';
import { type Slot, Value, constant, raw, reshaped, view } from '../graph.js';
import { type Layout, NCHW, inverse } from '../layout.js';
import { type KernelTable, kernel } from './kernel.js';

/** Where the channels of x lie: its memory as [outer, C, inner], with the axes that a sum over a channel runs over. */
interface Channels {
  readonly layout: Layout;
  readonly count: number;
  readonly axes: readonly number[];
  /** A vector [C] in dimensions that broadcast against x. */
  readonly spread: (vector: Slot) => Slot;
}

function channelsOf(x: Value, layout: Layout = x.layout): Channels {
  const axis = inverse(layout)[x.rank - 1];
  const channels = x.shape[x.rank - 1];
  const dims = layout.map((_, i) => (i === axis ? channels : 1));
  return {
    layout,
    count: x.size / channels,
    axes: dims.flatMap((_, i) => (i === axis ? [] : [i])),
    spread: (vector) => reshaped(vector, dims),
  };
}

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
function perChannel(name: 'ReduceMean' | 'ReduceSum', x: Slot, channels: Channels, size: number): Slot {
  const { axes } = channels;
  if (name === 'ReduceMean') return raw(name, [x], [size], { axes: [...axes], keepdims: 0 });
  return raw(name, [x, constant(axes, [axes.length], 'int64')], [size], { keepdims: 0 });
}

/**
 * x − mean, recorded once: statistics, output and gradient of a training step all take it, so that x itself need not be kept
 * for the backward pass.
 */
function centred(x: Slot, mean: Slot, channels: Channels): Slot {
  const difference = x.views.get(CENTRED);
  if (difference?.node?.inputs[1] === channels.spread(mean)) return difference;
  const own = sub(x, channels.spread(mean));
  x.views.set(CENTRED, own);
  return own;
}

const CENTRED = 'x − mean';

export const normKernels: KernelTable = {
  FusedBatchNorm: kernel<FusedBatchNormAttrs>((inputs, { varianceEpsilon }) => {
    const { x, mean, variance } = inputs;
    const { scale, offset } = inputs as Readonly<Record<string, Value | undefined>>;
    if (mean.rank !== 1 || x.dtype !== 'float32') return undefined;
    const channels = channelsOf(x);
    const { spread } = channels;
    if (!x.slot.views.has(CENTRED) && scale && offset && x.rank === 4) {
      const image = x.in(NCHW); // in compiled nets, ONNX Runtime takes this node, and the ReLU after it, into a convolution
      const inputs = [image, scale.in(), offset.in(), mean.in(), variance.in()];
      const y = raw('BatchNormalization', inputs, image.dims, { epsilon: { float: varianceEpsilon } });
      return new Value(y, x.shape, NCHW);
    }
    const inverseDeviation = deviation(variance.in(), varianceEpsilon);
    const factor = scale ? div(scale.in(), inverseDeviation) : raw('Reciprocal', [inverseDeviation], mean.shape);
    if (x.slot.views.has(CENTRED)) {
      const y = mul(centred(x.slot, mean.in(), channels), spread(factor));
      return new Value(offset ? add(y, spread(offset.in())) : y, x.shape, x.layout);
    }
    const shift = mul(mean.in(), factor);
    const rest = offset ? sub(offset.in(), shift) : raw('Neg', [shift], mean.shape);
    return new Value(add(mul(x.slot, spread(factor)), spread(rest)), x.shape, x.layout);
  }),

  ConvkitChannelStatistics: kernel(({ x }) => {
    const channels = channelsOf(x);
    const shape = [x.shape.at(-1)!];
    const mean = perChannel('ReduceMean', x.slot, channels, shape[0]);
    const difference = centred(x.slot, mean, channels);
    const variance = perChannel('ReduceMean', mul(difference, difference), channels, shape[0]);
    return [new Value(mean, shape), new Value(variance, shape)];
  }),

  // With M values a channel, r = 1/√(variance + eps), a = scale · r and Σ over a channel:
  // dScale = r · Σdy·(x − mean), dx = a · dy − a · r/M · dScale · (x − mean) − a/M · Σdy.
  ConvkitBatchNormTrainingGradient: kernel<{ eps: number }>(({ dy, x, scale, mean, variance }, { eps }) => {
    const channels = channelsOf(x);
    const { layout, count, spread } = channels;
    const shape = [x.shape.at(-1)!];
    const gradient = dy.in(layout);
    const difference = centred(x.slot, mean.in(), channels);
    const r = raw('Reciprocal', [deviation(variance.in(), eps)], shape);
    const dOffset = perChannel('ReduceSum', gradient, channels, shape[0]);
    const dScale = mul(r, perChannel('ReduceSum', mul(gradient, difference), channels, shape[0]));
    const a = mul(scale.in(), r);
    const share = mul(a, constant(-1 / count));
    const b = mul(mul(share, r), dScale);
    const dx = add(add(mul(gradient, spread(a)), mul(difference, spread(b))), spread(mul(share, dOffset)));
    return [new Value(dx, x.shape, layout), new Value(dScale, shape), new Value(dOffset, shape)];
  }),
};
