import { type Slot, ints, raw, reshaped, transposed } from '../graph.js';
import { blockSize } from './block-size.js';
import { blockedPadding, blockedProduct, fitsDepthwiseBlocks, imagesAsFilters, inBlocks } from './blocked.js';
import { type ConvPlan, end, isUnit } from './conv-plan.js';
import type { Sizes } from './filter-products.js';
import { turned } from './turned.js';

/**
 * Whether the gradient can be had as a convolution in blocks: the images, which take the place of its input channels, and the channels
 * of dy, or those of x where nothing is skipped, come in whole blocks, and all that lies behind the input is read.
 */
export function fitsExchange(p: ConvPlan, { n, cin, cout }: Sizes): boolean {
  const { height, width, groups } = p;
  const block = blockSize();
  if (groups !== 1 || height.kernel * width.kernel === 1 || block === 1 || n % block !== 0) return false;
  if (cout % block === 0) return end(height) >= 0 && end(width) >= 0;
  return cin % block === 0 && isUnit(p) && backwardPads(p).every((amount) => amount >= 0);
}

/** The gradient as a convolution of x with dy, in which images and channels, and stride and dilation, change places. */
export function exchanged(x: Slot, dy: Slot, { height, width }: ConvPlan, { cin, cout }: Sizes): Slot {
  const images = blockedPadding(inBlocks(transposed(x, [1, 0, 2, 3])), [height.before, width.before, end(height), end(width)]);
  const gradient = blockedProduct(images, imagesAsFilters(inBlocks(dy)), [cin, cout, height.kernel, width.kernel], {
    kernel_shape: [height.out, width.out],
    strides: [height.dilation, width.dilation],
    dilations: [height.stride, width.stride],
  });
  return transposed(gradient, [1, 0, 2, 3]);
}

/** The same as a convolution of dy with x, which gives the taps in reverse order. */
export function exchangedBackward(x: Slot, dy: Slot, p: ConvPlan, { cin, cout }: Sizes): Slot {
  const { height, width } = p;
  const images = blockedPadding(inBlocks(transposed(dy, [1, 0, 2, 3])), backwardPads(p));
  const dims = [cout, cin, height.kernel, width.kernel];
  return turned(blockedProduct(images, imagesAsFilters(inBlocks(x)), dims, { kernel_shape: [height.in, width.in] }));
}

/** Whether each channel has a filter of its own and channels come in whole blocks. */
export function fitsDepthwiseExchange(p: ConvPlan, { cin, cout }: Omit<Sizes, 'n'>): boolean {
  const { height, width, groups } = p;
  return groups === cin && cin === cout && fitsDepthwiseBlocks(cin) && end(height) >= 0 && end(width) >= 0;
}

/** The gradient of depthwise filters: each channel of each image is convolved with its dy; the sum over the images comes after. */
export function exchangedDepthwise(x: Slot, dy: Slot, { height, width }: ConvPlan, { n, cin }: Sizes): Slot {
  const stack = (images: Slot) => reshaped(inBlocks(images), [1, n * cin, ...images.dims.slice(2)]);
  const images = blockedPadding(stack(x), [height.before, width.before, end(height), end(width)]);
  const filters = reshaped(stack(dy), [n * cin, 1, height.out, width.out]);
  const gradients = blockedProduct(images, filters, [1, n * cin, height.kernel, width.kernel], {
    group: n * cin,
    kernel_shape: [height.out, width.out],
    strides: [height.dilation, width.dilation],
    dilations: [height.stride, width.stride],
  });
  const dims = [cin, 1, height.kernel, width.kernel];
  return raw('ReduceSum', [reshaped(gradients, [n, ...dims]), ints([0])], dims, { keepdims: 0 });
}

/** Zeros around dy so that each tap of the filter is a place of x on it. */
function backwardPads({ height, width }: ConvPlan): [number, number, number, number] {
  const [top, left] = [height, width].map(({ kernel, before }) => kernel - 1 - before);
  return [top, left, height.in + height.before - height.out, width.in + width.before - width.out];
}
