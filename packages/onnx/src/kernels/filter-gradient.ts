import { type Slot, Value, ints, raw, reshaped, table, transposed } from '../graph.js';
import { NCHW, OIHW } from '../layout.js';
import { blockSize, blockedPadding, blockedProduct, fitsDepthwiseBlocks, imagesAsFilters, inBlocks } from './blocked.js';
import type { ConvPlan } from './conv.js';
import { turned } from './turned.js';

/**
 * dW[o,i,ky,kx] = Σ over images and pixels of dy[o,y,x] · x[i, s·y + d·ky − p, s·x + d·kx − p]: where images and channels come in whole
 * blocks a convolution over blocks, else products of matrices whose long side is the pixels of an image.
 */
export function filterGradient(x: Value, dy: Value, p: ConvPlan): Value {
  const { height, width, groups } = p;
  const [n, , , cin] = x.shape as Shape4;
  const cout = dy.shape[3];
  const step = imagesAtOnce(n, p, { cin, cout });
  const parts: Slot[] = [];
  for (let from = 0; from < n; from += step) {
    const count = Math.min(step, n - from);
    parts.push(partial(part(x.in(NCHW), from, count), part(dy.in(NCHW), from, count), p, { n: count, cin, cout }));
  }
  const dims = [cout, cin / groups, height.kernel, width.kernel];
  const sum = parts.length === 1 ? parts[0] : raw('Sum', parts, dims);
  return new Value(sum, [height.kernel, width.kernel, cin / groups, cout], OIHW);
}

type Shape4 = [number, number, number, number];

interface Sizes {
  readonly n: number;
  readonly cin: number;
  readonly cout: number;
}

/** Elements of the copies that are made at a time; images beyond them are taken in parts. */
const LARGEST_COPY = 2 ** 25;

/** Rows from which on the zeros around dy, which the shifts along columns add, cost less than the copies that they save. */
const ENOUGH_ROWS = 16;

function imagesAtOnce(n: number, p: ConvPlan, channels: Omit<Sizes, 'n'>): number {
  const { height, width } = p;
  const { cin, cout } = channels;
  if (fitsDepthwiseExchange(p, channels)) return n;
  const step = (copies: number) => Math.max(1, Math.min(n, Math.floor(LARGEST_COPY / copies)));
  if (!fitsExchange(p, { n, ...channels })) {
    return step((height.kernel * width.kernel * cin + cout) * height.out * width.out);
  }
  const images = step(cin * height.in * width.in + cout * height.out * width.out);
  return Math.max(blockSize(), images - (images % blockSize()));
}

function part(images: Slot, from: number, count: number): Slot {
  const [n, ...rest] = images.dims;
  if (count === n) return images;
  return raw('Slice', [images, ints([from]), ints([from + count]), ints([0])], [count, ...rest]);
}

/** The gradient [cout, cin/groups, kh, kw] over these images. */
function partial(x: Slot, dy: Slot, p: ConvPlan, sizes: Sizes): Slot {
  if (fitsDepthwiseExchange(p, sizes)) return exchangedDepthwise(x, dy, p, sizes);
  if (!fitsExchange(p, sizes)) return product(x, dy, p, sizes);
  return sizes.cout % blockSize() === 0 ? exchanged(x, dy, p, sizes) : exchangedBackward(x, dy, p, sizes);
}

/**
 * The gradient by products. The shifted copies of x, one for each tap, are a depthwise convolution of x with filters of a single 1,
 * which ONNX Runtime spreads over its threads (Slice, Pad and Concat run on one). Where stride and dilation are 1, x is shifted along
 * its rows only and dy along its columns: kh + kw copies in the place of kh · kw.
 */
function product(x: Slot, dy: Slot, p: ConvPlan, sizes: Sizes): Slot {
  const { height, width, groups } = p;
  const [kh, kw] = [height.kernel, width.kernel];
  const [i, o] = [sizes.cin / groups, sizes.cout / groups];
  const pixels = height.out * width.out;
  const unit = isUnit(p);
  if (unit && kh > 1 && kw > 1 && height.out >= ENOUGH_ROWS) {
    const rows = height.out + kh - 1;
    const right = width.out + kw - 1 - width.in - width.before;
    const below = rows - height.in - height.before;
    const columnTaps = taps(x, 1, kw, { pads: [height.before, width.before, below, right] }, [rows, width.out]);
    const rowTaps = taps(dy, kh, 1, { pads: [kh - 1, 0, kh - 1, 0] }, [rows, width.out], true);
    const sum = summed(columnTaps, rowTaps, [sizes.n, groups, i * kw, o * kh, rows * width.out]);
    return reshaped(transposed(reshaped(sum, [groups, i, kw, o, kh]), [0, 3, 1, 4, 2]), [sizes.cout, i, kh, kw]);
  }
  const windows = {
    strides: [height.stride, width.stride],
    dilations: [height.dilation, width.dilation],
    pads: [height.before, width.before, Math.max(0, end(height)), Math.max(0, end(width))],
  };
  const whole = kh * kw === 1 && unit && windows.pads.every((amount) => amount === 0);
  const copies = whole ? x : taps(x, kh, kw, windows, [height.out, width.out]);
  const sum = summed(copies, dy, [sizes.n, groups, i * kh * kw, o, pixels]);
  return reshaped(transposed(reshaped(sum, [groups, i, kh, kw, o]), [0, 4, 1, 2, 3]), [sizes.cout, i, kh, kw]);
}

const isUnit = ({ height, width }: ConvPlan): boolean =>
  [height, width].every(({ stride, dilation }) => stride === 1 && dilation === 1);

/**
 * Whether the gradient can be had as a convolution in blocks: the images, which take the place of its input channels, and the channels
 * of dy, or those of x where nothing is skipped, come in whole blocks, and all that lies behind the input is read.
 */
function fitsExchange(p: ConvPlan, { n, cin, cout }: Sizes): boolean {
  const { height, width, groups } = p;
  const block = blockSize();
  if (groups !== 1 || height.kernel * width.kernel === 1 || block === 1 || n % block !== 0) return false;
  if (cout % block === 0) return end(height) >= 0 && end(width) >= 0;
  return cin % block === 0 && isUnit(p) && backwardPads(p).every((amount) => amount >= 0);
}

/** The gradient as a convolution of x with dy, in which images and channels, and stride and dilation, change places. */
function exchanged(x: Slot, dy: Slot, { height, width }: ConvPlan, { cin, cout }: Sizes): Slot {
  const images = blockedPadding(inBlocks(transposed(x, [1, 0, 2, 3])), [height.before, width.before, end(height), end(width)]);
  const gradient = blockedProduct(images, imagesAsFilters(inBlocks(dy)), [cin, cout, height.kernel, width.kernel], {
    kernel_shape: [height.out, width.out],
    strides: [height.dilation, width.dilation],
    dilations: [height.stride, width.stride],
  });
  return transposed(gradient, [1, 0, 2, 3]);
}

/** The same as a convolution of dy with x, which gives the taps in reverse order. */
function exchangedBackward(x: Slot, dy: Slot, p: ConvPlan, { cin, cout }: Sizes): Slot {
  const { height, width } = p;
  const images = blockedPadding(inBlocks(transposed(dy, [1, 0, 2, 3])), backwardPads(p));
  const dims = [cout, cin, height.kernel, width.kernel];
  return turned(blockedProduct(images, imagesAsFilters(inBlocks(x)), dims, { kernel_shape: [height.in, width.in] }));
}

/** Whether each channel has a filter of its own and channels come in whole blocks. */
function fitsDepthwiseExchange(p: ConvPlan, { cin, cout }: Omit<Sizes, 'n'>): boolean {
  const { height, width, groups } = p;
  return groups === cin && cin === cout && fitsDepthwiseBlocks(cin) && end(height) >= 0 && end(width) >= 0;
}

/** The gradient of depthwise filters: each channel of each image is convolved with its dy; the sum over the images comes after. */
function exchangedDepthwise(x: Slot, dy: Slot, { height, width }: ConvPlan, { n, cin }: Sizes): Slot {
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

/** Zeros after the input that a window reads; negative: elements of the input that none reads. */
const end = (axis: ConvPlan['height']): number =>
  (axis.out - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1 - axis.in - axis.before;

/** [N,C,H,W] → [N, C·kh·kw, …out]: each channel once for each tap of a window. `backward`: the taps in reverse order. */
function taps(
  x: Slot,
  kh: number,
  kw: number,
  windows: Readonly<Record<string, readonly number[]>>,
  out: readonly number[],
  backward = false,
): Slot {
  const [n, channels] = x.dims;
  const filters = singles(channels, kh, kw, backward);
  const dims = [n, channels * kh * kw, ...out];
  return raw('Conv', [x, filters], dims, { kernel_shape: [kh, kw], group: channels, ...windows });
}

/** [channels · kh · kw, 1, kh, kw]: for each channel, filters with a single 1. */
function singles(channels: number, kh: number, kw: number, backward: boolean): Slot {
  const count = kh * kw;
  const name = `filters of a single 1, ${channels} of ${kh}×${kw}${backward ? ', backward' : ''}`;
  return table(name, [channels * count, 1, kh, kw], 'float32', () => {
    const ones = new Array<number>(channels * count * count).fill(0);
    for (let c = 0; c < channels; c++) {
      for (let t = 0; t < count; t++) ones[(c * count + t) * count + (backward ? count - 1 - t : t)] = 1;
    }
    return ones;
  });
}

/**
 * a · bᵀ over the pixels, summed over the images: [groups, rows, columns]. Where the products of single images would write much
 * more than they read, the pixels of all images come together first, by a Transpose, which runs on one thread.
 */
function summed(
  a: Slot,
  b: Slot,
  [n, groups, rows, columns, pixels]: readonly [n: number, groups: number, rows: number, columns: number, pixels: number],
): Slot {
  const [left, right] = [reshaped(a, [n, groups, rows, pixels]), reshaped(b, [n, groups, columns, pixels])];
  const dims = [groups, rows, columns];
  const multiply = (x: Slot, y: Slot, batch: readonly number[]) =>
    raw('com.microsoft:FusedMatMul', [x, y], [...batch, rows, columns], { transB: 1 });
  if (n === 1) return reshaped(multiply(left, right, [n, groups]), dims);
  if (columns <= 2 * pixels) return raw('ReduceSum', [multiply(left, right, [n, groups]), ints([0])], dims, { keepdims: 0 });
  const merged = (slot: Slot, size: number) => reshaped(transposed(slot, [1, 2, 0, 3]), [groups, size, n * pixels]);
  return multiply(merged(left, rows), merged(right, columns), [groups]);
}
