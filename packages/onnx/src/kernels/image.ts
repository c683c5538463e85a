import type { LRNAttrs, ResizeBilinearAttrs } from '@tensorflow/tfjs-core';
import { Slot, Value, constant, ints, op, raw, reshaped } from '../graph.js';
import { NCHW } from '../layout.js';
import { elementwise, number } from './broadcast.js';
import { cast } from './elementwise.js';
import { type KernelTable, kernel } from './kernel.js';

interface Resize {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Where the centre of an output pixel lies in the input, as tfjs counts. */
function source(i: number, size: number, out: number, { alignCorners, halfPixelCenters }: Resize): number {
  const scale = alignCorners && out > 1 ? (size - 1) / (out - 1) : size / out;
  return halfPixelCenters ? (i + 0.5) * scale : i * scale;
}

/** The input pixel that an output pixel copies. */
function nearest(i: number, size: number, out: number, resize: Resize): number {
  const place = source(i, size, out, resize);
  return Math.min(size - 1, resize.alignCorners ? Math.round(place) : Math.floor(place));
}

/** How much each input pixel (column) gives to each output pixel (row): a matrix [out, size]. */
function weights(size: number, out: number, resize: Resize, bilinear: boolean): Slot {
  const matrix = new Float32Array(out * size);
  for (let i = 0; i < out; i++) {
    if (!bilinear) {
      matrix[i * size + nearest(i, size, out, resize)] = 1;
      continue;
    }
    const place = source(i, size, out, resize) - (resize.halfPixelCenters ? 0.5 : 0);
    const floor = Math.max(0, Math.floor(place));
    const share = Math.max(0, place - floor);
    matrix[i * size + floor] += 1 - share;
    matrix[i * size + Math.min(size - 1, floor + 1)] += share;
  }
  return new Slot('float32', [out, size], { data: matrix });
}

/** The gradient of a resize, a product with its weights along each axis: [N,H',W',C] → [N,H,W,C]. */
function resizeGradient(dy: Value, images: Value, resize: Resize, bilinear: boolean): Value {
  const [n, h, w, c] = images.shape as [number, number, number, number];
  const [, oh, ow] = dy.shape as [number, number, number];
  const rows = raw('Transpose', [weights(h, oh, resize, bilinear)], [h, oh], { perm: [1, 0] });
  const columns = weights(w, ow, resize, bilinear);
  const narrow = raw('MatMul', [dy.in(NCHW), columns], [n, c, oh, w]);
  return new Value(raw('MatMul', [rows, narrow], [n, c, h, w]), images.shape, NCHW);
}

/** Copies of rows (physical axis 2) or columns (3). */
function copies(x: Slot, axis: 2 | 3, out: number, resize: Resize): Slot {
  const size = x.dims[axis];
  if (size === out) return x;
  const places = Array.from({ length: out }, (_, i) => nearest(i, size, out, resize));
  return raw(
    'Gather',
    [x, ints(places)],
    x.dims.map((n, i) => (i === axis ? out : n)),
    { axis },
  );
}

/** Sums over neighbouring channels: [N,H,W,C] → [N,H,W,C]. */
function channelSums(x: Value, radius: number): Value {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const window = 2 * radius + 1;
  const plane = reshaped(x.in(NCHW), [n, 1, c, h * w]);
  const means = raw('AveragePool', [plane], [n, 1, c, h * w], {
    kernel_shape: [window, 1],
    pads: [radius, 0, radius, 0],
    count_include_pad: 1,
  });
  const mean = new Value(reshaped(means, [n, c, h, w]), x.shape, NCHW);
  return elementwise('Mul', [mean, number(constant(window))]);
}

export const imageKernels: KernelTable = {
  ResizeNearestNeighbor: kernel<ResizeBilinearAttrs>(({ images }, { size: [height, width], ...resize }) => {
    const [n, h, w, c] = images.shape as [number, number, number, number];
    const shape = [n, height, width, c];
    const x = images.in(NCHW);
    const [fh, fw] = [height / h, width / w];
    if (images.dtype === 'float32' && !resize.alignCorners && Number.isInteger(fh) && Number.isInteger(fw)) {
      // Each pixel becomes a block of its copies: the first place in a block tells which.
      const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
      return op('Resize', [x, undefined, constant([1, 1, fh, fw], [4])], { shape, layout: NCHW }, attributes);
    }
    return new Value(copies(copies(x, 2, height, resize), 3, width, resize), shape, NCHW);
  }),
  ResizeNearestNeighborGrad: kernel<ResizeBilinearAttrs>(({ images, dy }, attrs) => resizeGradient(dy, images, attrs, false)),
  ResizeBilinear: kernel<ResizeBilinearAttrs>(({ images }, { size: [height, width], alignCorners, halfPixelCenters }) => {
    const [n, , , c] = images.shape as [number, number, number, number];
    const mode = alignCorners ? 'align_corners' : halfPixelCenters ? 'half_pixel' : 'asymmetric';
    const inputs = [cast(images, 'float32').in(NCHW), undefined, undefined, ints([n, c, height, width])];
    const attributes = { mode: 'linear', coordinate_transformation_mode: mode };
    return op('Resize', inputs, { shape: [n, height, width, c], layout: NCHW, dtype: 'float32' }, attributes);
  }),
  ResizeBilinearGrad: kernel<ResizeBilinearAttrs>(({ images, dy }, attrs) => resizeGradient(dy, images, attrs, true)),

  LRN: kernel<LRNAttrs>(({ x }, { depthRadius, bias, alpha, beta }) => {
    const size = 2 * depthRadius + 1;
    const attributes = { size, bias: { float: bias }, alpha: { float: alpha * size }, beta: { float: beta } };
    return op('LRN', [x.in(NCHW)], { shape: x.shape, layout: NCHW }, attributes);
  }),
  // With s = bias + α Σx²: dx = dy · s^−β − 2αβ · x · Σ(dy · y / s), sums over neighbouring channels.
  LRNGrad: kernel<LRNAttrs>(({ x, y, dy }, { depthRadius, bias, alpha, beta }) => {
    const mul = (a: Value, b: Value): Value => elementwise('Mul', [a, b]);
    const c = (value: number): Value => number(constant(value));
    const s = elementwise('Add', [mul(channelSums(mul(x, x), depthRadius), c(alpha)), c(bias)]);
    const own = mul(dy, elementwise('Pow', [s, c(-beta)]));
    const shares = channelSums(elementwise('Div', [mul(dy, y), s]), depthRadius);
    return elementwise('Sub', [own, mul(mul(x, shares), c(2 * alpha * beta))]);
  }),
};
