import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Call, addressOf, kernelsOf, register, valuesOf, withScratch } from './heap.js';
import { inBlocks } from './reductions.js';

/**
 * Batch normalisation in four passes over memory: moments and y = a·x + b forward; two sums and dx = a·dy + b·x + c backward.
 * Sums are of float32 within a block of rows, and of float64 over the blocks.
 */
export function registerBatchNorm(): void {
  register<Statistic | 'x', { varianceEpsilon: number }>('FusedBatchNorm', normalise);
  register<'x', object>('ConvkitChannelStatistics', statistics);
  register<'dy' | 'x' | 'scale' | 'mean' | 'variance', { eps: number }>('ConvkitBatchNormTrainingGradient', gradient);
}

type Statistic = 'mean' | 'variance' | 'scale' | 'offset';

const layout = ({ shape }: TensorInfo): { rows: number; channels: number } => {
  const channels = shape.at(-1)!;
  return { rows: shape.slice(0, -1).reduce((a, b) => a * b, 1), channels };
};

function normalise({ inputs, attrs, backend }: Call<Statistic | 'x', { varianceEpsilon: number }>): TensorInfo {
  const { x } = inputs;
  const { rows, channels } = layout(x);
  const out = backend.makeOutput(x.shape, 'float32');
  withScratch(backend, 2 * channels, (scratch, address) => {
    const values = (name: Statistic) => (inputs[name] ? valuesOf(backend, inputs[name]) : undefined);
    const [mean, variance, scale, offset] = [values('mean')!, values('variance')!, values('scale'), values('offset')];
    const coefficients = valuesOf(backend, scratch);
    for (let c = 0; c < channels; c++) {
      const of = (array: Float32Array) => array[array.length === 1 ? 0 : c];
      const a = (scale ? of(scale) : 1) / Math.sqrt(of(variance) + attrs.varianceEpsilon);
      coefficients[c] = a;
      coefficients[channels + c] = (offset ? of(offset) : 0) - a * of(mean);
    }
    kernelsOf(backend).affine(addressOf(backend, x), address, address + 4 * channels, addressOf(backend, out), rows, channels);
  });
  return out;
}

function statistics({ inputs: { x }, backend }: Call<'x', object>): TensorInfo[] {
  const { rows, channels } = layout(x);
  const [mean, variance] = [backend.makeOutput([channels], 'float32'), backend.makeOutput([channels], 'float32')];
  // Values are taken relative to the first row, so that the mean does not swallow the variance.
  withScratch(backend, 2 * channels, (scratch, address) => {
    const kernels = kernelsOf(backend);
    const start = addressOf(backend, x);
    const totals = inBlocks(backend, { rows, channels }, scratch, (first, count) =>
      kernels.moments(start + 4 * channels * first, start, address, address + 4 * channels, count, channels),
    );
    const shift = valuesOf(backend, x);
    const [means, variances] = [valuesOf(backend, mean), valuesOf(backend, variance)];
    for (let c = 0; c < channels; c++) {
      const distance = totals[c] / rows;
      means[c] = shift[c] + distance;
      variances[c] = Math.max(0, totals[channels + c] / rows - distance * distance);
    }
  });
  return [mean, variance];
}

function gradient({ inputs, attrs, backend }: Call<'dy' | 'x' | 'scale' | 'mean' | 'variance', { eps: number }>): TensorInfo[] {
  const { dy, x, scale, mean, variance } = inputs;
  const { rows, channels } = layout(x);
  const dx = backend.makeOutput(x.shape, 'float32');
  const [dScale, dOffset] = [backend.makeOutput([channels], 'float32'), backend.makeOutput([channels], 'float32')];
  withScratch(backend, 3 * channels, (scratch, address) => {
    const kernels = kernelsOf(backend);
    const [dyStart, xStart, pitch] = [addressOf(backend, dy), addressOf(backend, x), 4 * channels];
    const shift = addressOf(backend, mean);
    const totals = inBlocks(backend, { rows, channels }, scratch, (first, count) =>
      kernels.correlations(dyStart + pitch * first, xStart + pitch * first, shift, address, address + pitch, count, channels),
    );
    const [means, variances, scales] = [mean, variance, scale].map((info) => valuesOf(backend, info));
    const [dScales, dOffsets, coefficients] = [dScale, dOffset, scratch].map((info) => valuesOf(backend, info));
    for (let c = 0; c < channels; c++) {
      const [sum, correlation] = [totals[c], totals[channels + c]];
      const r = 1 / Math.sqrt(variances[c] + attrs.eps);
      const a = scales[c] * r;
      const b = (-a * r * r * correlation) / rows;
      dScales[c] = r * correlation;
      dOffsets[c] = sum;
      coefficients[c] = a;
      coefficients[channels + c] = b;
      coefficients[2 * channels + c] = (-a * sum) / rows - b * means[c];
    }
    const out = addressOf(backend, dx);
    kernels.affinePair(dyStart, xStart, address, address + pitch, address + 2 * pitch, out, rows, channels);
  });
  return [dx, dScale, dOffset];
}
