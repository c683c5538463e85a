import { type Slot, ints, raw, reshaped, table, transposed } from '../graph.js';
import { type ConvPlan, end, isUnit } from './conv-plan.js';

export interface Sizes {
  readonly n: number;
  readonly cin: number;
  readonly cout: number;
}

/** Rows from which on the zeros around dy, which the shifts along columns add, cost less than the copies that they save. */
const ENOUGH_ROWS = 16;

/**
 * The gradient by products. The shifted copies of x, one for each tap, are a depthwise convolution of x with filters of a single 1,
 * which ONNX Runtime spreads over its threads (Slice, Pad and Concat run on one). Where stride and dilation are 1, x is shifted along
 * its rows only and dy along its columns: kh + kw copies in the place of kh · kw.
 */
export function product(x: Slot, dy: Slot, p: ConvPlan, sizes: Sizes): Slot {
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
