import { type Slot, Value, constant, ints, raw, reshaped, transposed } from '../graph.js';
import { NCHW, OIHW } from '../layout.js';
import type { ConvPlan } from './conv.js';

/**
 * dW[o,i,ky,kx] = Σ over images and pixels of dy[o,y,x] · x[i, s·y + d·ky − p, s·x + d·kx − p], as products of matrices whose
 * long side is the pixels of an image.
 *
 * The shifted copies of x, one for each tap, are a depthwise convolution of x with filters of a single 1, which ONNX Runtime
 * spreads over its threads (Slice, Pad and Concat run on one). Where stride and dilation are 1, x is shifted along its rows
 * only and dy along its columns: kh + kw copies in the place of kh · kw.
 */
export function filterGradient(x: Value, dy: Value, p: ConvPlan): Value {
  const { height, width, groups } = p;
  const [n, , , cin] = x.shape as Shape4;
  const cout = dy.shape[3];
  const sizes = { n, cin, cout };
  const perImage = (height.kernel * width.kernel * cin + cout) * height.out * width.out;
  const images = Math.max(1, Math.min(n, Math.floor(LARGEST_COPY / perImage)));
  const parts: Slot[] = [];
  for (let from = 0; from < n; from += images) {
    const count = Math.min(images, n - from);
    parts.push(product(part(x.in(NCHW), from, count), part(dy.in(NCHW), from, count), p, { ...sizes, n: count }));
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

function part(images: Slot, from: number, count: number): Slot {
  const [n, ...rest] = images.dims;
  if (count === n) return images;
  return raw('Slice', [images, ints([from]), ints([from + count]), ints([0])], [count, ...rest]);
}

/** The gradient [cout, cin/groups, kh, kw] over these images. */
function product(x: Slot, dy: Slot, p: ConvPlan, { n, cin, cout }: Sizes): Slot {
  const { height, width, groups } = p;
  const [kh, kw] = [height.kernel, width.kernel];
  const [i, o] = [cin / groups, cout / groups];
  const unit = [height, width].every(({ stride, dilation }) => stride === 1 && dilation === 1);
  if (unit && kh > 1 && kw > 1 && height.out >= ENOUGH_ROWS) {
    const rows = height.out + kh - 1;
    const end = width.out + kw - 1 - width.in - width.before;
    const below = rows - height.in - height.before;
    const columnTaps = taps(x, 1, kw, { pads: [height.before, width.before, below, end] }, [rows, width.out]);
    const rowTaps = taps(dy, kh, 1, { pads: [kh - 1, 0, kh - 1, 0] }, [rows, width.out], true);
    const a = reshaped(columnTaps, [n, groups, i * kw, rows * width.out]);
    const b = reshaped(rowTaps, [n, groups, o * kh, rows * width.out]);
    const sum = reshaped(summed(a, b), [groups, i, kw, o, kh]);
    return reshaped(transposed(sum, [0, 3, 1, 4, 2]), [cout, i, kh, kw]);
  }
  const pixels = height.out * width.out;
  const windows = {
    strides: [height.stride, width.stride],
    dilations: [height.dilation, width.dilation],
    pads: [height, width].map(({ before }) => before).concat([height, width].map(end)),
  };
  const whole = kh * kw === 1 && unit && windows.pads.every((amount) => amount === 0);
  const copies = whole ? x : taps(x, kh, kw, windows, [height.out, width.out]);
  const a = reshaped(copies, [n, groups, i * kh * kw, pixels]);
  const sum = reshaped(summed(a, reshaped(dy, [n, groups, o, pixels])), [groups, i, kh, kw, o]);
  return reshaped(transposed(sum, [0, 4, 1, 2, 3]), [cout, i, kh, kw]);
}

const end = (axis: ConvPlan['height']): number =>
  Math.max(0, (axis.out - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1 - axis.in - axis.before);

/** [N,C,H,W] → [N, C·kh·kw, …out]: each channel once for each tap of a window. `backward`: the taps in reverse order. */
function taps(
  x: Slot,
  kh: number,
  kw: number,
  windows: Record<string, readonly number[]>,
  out: readonly number[],
  backward = false,
): Slot {
  const [n, channels] = x.dims;
  const count = kh * kw;
  const ones = new Array<number>(channels * count * count).fill(0);
  for (let c = 0; c < channels; c++) {
    for (let t = 0; t < count; t++) ones[(c * count + t) * count + (backward ? count - 1 - t : t)] = 1;
  }
  const filters = constant(ones, [channels * count, 1, kh, kw]);
  return raw('Conv', [x, filters], [n, channels * count, ...out], { kernel_shape: [kh, kw], group: channels, ...windows });
}

/** a · bᵀ over the last axis, summed over the images. */
function summed(a: Slot, b: Slot): Slot {
  const [n, groups, rows] = a.dims;
  const columns = b.dims[2];
  const products = raw('com.microsoft:FusedMatMul', [a, b], [n, groups, rows, columns], { transB: 1 });
  if (n === 1) return reshaped(products, [groups, rows, columns]);
  return raw('ReduceSum', [products, ints([0])], [groups, rows, columns], { keepdims: 0 });
}
