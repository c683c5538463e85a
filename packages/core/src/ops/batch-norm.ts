import {
  type Tensor,
  type Tensor1D,
  add,
  mean as meanOf,
  mul,
  reshape,
  rsqrt,
  square,
  squaredDifference,
  sub,
  sum,
} from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';
import { defineOp, runKernel } from './op.js';

/**
 * Normalises with given statistics: y = (x − mean) / √(variance + eps) · scale + offset, for x [..., C] and the rest [C].
 * Differentiable in all of them (fine-tuning with frozen statistics).
 */
export function batchNormInference(
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  scale: Tensor,
  offset: Tensor,
  eps: number,
): Tensor {
  checkChannels(x, { mean, variance, scale, offset });
  return inference({ x, mean, variance, scale, offset }, { eps })[0];
}

/**
 * Normalises with the statistics of x itself, over all axes but the last, and hands these to `onStatistics`: the mean and
 * the biased variance, which are freed afterwards and in which y is not differentiated.
 * Ioffe & Szegedy 2015, arXiv:1502.03167.
 */
export function batchNormTraining(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  eps: number,
  onStatistics: (mean: Tensor1D, biasedVariance: Tensor1D) => void,
): Tensor {
  checkChannels(x, { scale, offset });
  const [y, mean, variance] = training({ x, scale, offset }, { eps, onStatistics }) as [Tensor, Tensor, Tensor];
  mean.dispose();
  variance.dispose();
  return y;
}

function checkChannels(x: Tensor, perChannel: Readonly<Record<string, Tensor>>): void {
  const channels = x.shape.at(-1);
  for (const [name, values] of Object.entries(perChannel)) {
    if (values.shape.length !== 1 || values.shape[0] !== channels) {
      throw new ShapeError(`Batch normalisation of x [${x.shape}] needs ${name} [${channels}], not [${values.shape}].`);
    }
  }
}

const allButLast = (x: Tensor): number[] => x.shape.slice(0, -1).map((_, axis) => axis);

/** tfjs' kernel takes images only; other ranks become [M,1,1,C] for it. */
function normalise(x: Tensor, statistics: Record<'mean' | 'variance' | 'scale' | 'offset', Tensor>, eps: number): Tensor {
  const channels = x.shape.at(-1)!;
  const image = x.rank === 4 ? x : reshape(x, [x.size / channels, 1, 1, channels]);
  const y = runKernel('FusedBatchNorm', { x: image, ...statistics }, { varianceEpsilon: eps });
  return x.rank === 4 ? y : reshape(y, x.shape);
}

const inference = defineOp<'x' | 'mean' | 'variance' | 'scale' | 'offset', { eps: number }>({
  name: 'BatchNormInference',
  save: { inputs: ['x', 'mean', 'variance', 'scale'] },
  forward: ({ x, ...statistics }, { eps }) => [normalise(x, statistics, eps)],
  gradient: ([dy], [x, mean, variance, scale], { eps }) => {
    const axes = allButLast(x);
    const inverse = () => rsqrt(add(variance, eps));
    const correlation = () => sum(mul(dy, sub(x, mean)), axes);
    return {
      x: () => mul(dy, mul(scale, inverse())),
      scale: () => mul(correlation(), inverse()),
      offset: () => sum(dy, axes),
      mean: () => mul(sum(dy, axes), mul(mul(scale, inverse()), -1)),
      variance: () => mul(mul(correlation(), scale), mul(mul(square(inverse()), inverse()), -0.5)),
    };
  },
});

interface TrainingAttributes {
  readonly eps: number;
  readonly onStatistics: (mean: Tensor1D, biasedVariance: Tensor1D) => void;
}

const training = defineOp<'x' | 'scale' | 'offset', TrainingAttributes>({
  name: 'BatchNormTraining',
  save: { inputs: ['x', 'scale'], outputs: [false, true, true] },
  forward: ({ x, scale, offset }, { eps, onStatistics }) => {
    const [mean, variance] = statistics({ x }, {}) as [Tensor1D, Tensor1D];
    onStatistics(mean, variance);
    return [normalise(x, { mean, variance, scale, offset }, eps), mean, variance];
  },
  gradient: ([dy], [x, scale, mean, variance], { eps }) => {
    const inputs = { dy: dy, x: x, scale: scale, mean: mean, variance: variance };
    const [dx, dScale, dOffset] = trainingGradient(inputs, { eps }) as [Tensor, Tensor, Tensor];
    return { x: () => dx, scale: () => dScale, offset: () => dOffset };
  },
});

/** Mean and biased variance over all axes but the last. */
const statistics = defineOp<'x', object>({
  name: 'ChannelStatistics',
  forward: ({ x }) => {
    const axes = allButLast(x);
    const mean = meanOf(x, axes);
    return [mean, meanOf(squaredDifference(x, mean), axes)];
  },
});

/**
 * With M values a channel, r = 1/√(variance + eps), and the sums over a channel Σdy and Σdy·(x − mean):
 * dScale = r·Σdy·(x − mean), dOffset = Σdy, dx = a·dy + b·x + c,
 * a = scale·r, b = −a·r²·Σdy·(x − mean)/M, c = −a·Σdy/M − b·mean.
 */
const trainingGradient = defineOp<'dy' | 'x' | 'scale' | 'mean' | 'variance', { eps: number }>({
  name: 'BatchNormTrainingGradient',
  forward: ({ dy, x, scale, mean, variance }, { eps }) => {
    const axes = allButLast(x);
    const count = x.size / x.shape.at(-1)!;
    const r = rsqrt(add(variance, eps));
    const dOffset = sum(dy, axes);
    const correlation = sum(mul(dy, sub(x, mean)), axes);
    const a = mul(scale, r);
    const b = mul(mul(mul(a, square(r)), correlation), -1 / count);
    const c = sub(mul(mul(a, dOffset), -1 / count), mul(b, mean));
    return [add(mul(dy, a), add(mul(x, b), c)), mul(r, correlation), dOffset];
  },
});
