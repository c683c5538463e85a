import type { FusedBatchNormAttrs } from '@tensorflow/tfjs-core';
import { type Slot, Value, constant, raw, reshaped } from '../graph.js';
import { type Layout, inverse } from '../layout.js';
import { type KernelTable, kernel } from './kernel.js';

/** Where the channels of x lie: its memory as [outer, C, inner], with the axes that a sum over a channel runs over. */
interface Channels {
  readonly layout: Layout;
  readonly count: number;
  readonly axes: readonly number[];
  /** A vector [C] in dimensions that broadcast against x. */
  spread(vector: Slot): Slot;
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

/** √(variance + eps) */
const deviation = (variance: Slot, eps: number): Slot => {
  const shifted = add(variance, constant(eps));
  return raw('Sqrt', [shifted], shifted.dims);
};

/** A mean or sum over each channel: [C]. */
function perChannel(name: 'ReduceMean' | 'ReduceSum', x: Slot, channels: Channels, size: number): Slot {
  const { axes } = channels;
  if (name === 'ReduceMean') return raw(name, [x], [size], { axes: [...axes], keepdims: 0 });
  return raw(name, [x, constant(axes, [axes.length], 'int64')], [size], { keepdims: 0 });
}

export const normKernels: KernelTable = {
  FusedBatchNorm: kernel<FusedBatchNormAttrs>((inputs, { varianceEpsilon }) => {
    const { x, mean, variance } = inputs;
    const { scale, offset } = inputs as Readonly<Record<string, Value | undefined>>;
    if (mean.rank !== 1) return undefined;
    const channels = channelsOf(x);
    const inverseDeviation = deviation(variance.in(), varianceEpsilon);
    const factor = scale ? div(scale.in(), inverseDeviation) : raw('Reciprocal', [inverseDeviation], mean.shape);
    const shift = mul(mean.in(), factor);
    const rest = offset ? sub(offset.in(), shift) : raw('Neg', [shift], mean.shape);
    const y = add(mul(x.slot, channels.spread(factor)), channels.spread(rest));
    return new Value(y, x.shape, x.layout);
  }),

  ConvkitChannelStatistics: kernel(({ x }) => {
    const channels = channelsOf(x);
    const shape = [x.shape.at(-1)!];
    const mean = perChannel('ReduceMean', x.slot, channels, shape[0]);
    const centred = sub(x.slot, channels.spread(mean));
    const variance = perChannel('ReduceMean', mul(centred, centred), channels, shape[0]);
    return [new Value(mean, shape), new Value(variance, shape)];
  }),

  // See ops/batch-norm.ts of @convkit/core for the formula.
  ConvkitBatchNormTrainingGradient: kernel<{ eps: number }>(({ dy, x, scale, mean, variance }, { eps }) => {
    const channels = channelsOf(dy);
    const shape = [x.shape.at(-1)!];
    const [own, gradient] = [x.in(dy.layout), dy.slot];
    const r = raw('Reciprocal', [deviation(variance.in(), eps)], shape);
    const dOffset = perChannel('ReduceSum', gradient, channels, shape[0]);
    const centred = sub(own, channels.spread(mean.in()));
    const correlation = perChannel('ReduceSum', mul(gradient, centred), channels, shape[0]);
    const a = mul(scale.in(), r);
    const dScale = mul(r, correlation);
    const b = mul(mul(mul(a, r), dScale), constant(-1 / channels.count));
    const c = sub(mul(mul(a, dOffset), constant(-1 / channels.count)), mul(b, mean.in()));
    const { spread } = channels;
    const dx = add(mul(gradient, spread(a)), add(mul(own, spread(b)), spread(c)));
    return [new Value(dx, x.shape, dy.layout), new Value(dScale, shape), new Value(dOffset, shape)];
  }),
};
