import { type Attributes, type Slot, constant, ints, raw, recording, reshaped, table, transposed, view } from '../graph.js';
import { NCHWC, blockSize } from './block-size.js';

/**
 * ONNX Runtime's own convolution over blocks of channels: images [N, C/b, H, W, b], filters [O/b, I/b, kh, kw, b of I, b of O].
 * Its optimiser takes it for constant filters only; with filters that change it is recorded by name. It computes without the
 * copies that the other convolution makes of each window.
 */
export const BLOCKED_CONV = `${NCHWC}:Conv`;

/**
 * Products of pixels and images, for each output channel, from which on the reordering of image and filter pays. The other convolution
 * copies the windows of a larger filter than 1×1, and is a plain product for that.
 */
const ENOUGH_PIXELS = { single: 32, window: 2 };

/** Whether a convolution of these sizes is faster in blocks. */
export function fitsBlocks(filter: { cin: number; cout: number; taps: number }, pixels: number): boolean {
  const { cin, cout, taps } = filter;
  const enough = taps === 1 ? ENOUGH_PIXELS.single : ENOUGH_PIXELS.window;
  if (recording.portable || pixels < enough * Math.max(cin, cout)) return false;
  const block = blockSize();
  return block > 1 && cin % block === 0 && OWN_CHANNELS * whole(cout) <= cout;
}

/** The part of the output channels that must be there, and not added to make their last block whole. */
const OWN_CHANNELS = 3 / 4;

/** So many channels, and what their last block lacks. */
const whole = (channels: number): number => Math.ceil(channels / blockSize()) * blockSize();

/** The convolution of an NCHW image with OIHW filters; `turned`: with these as IOHW, each turned by half a turn. */
export function blockedConv(x: Slot, filter: Slot, dims: readonly number[], attributes: Attributes, turned = false): Slot {
  return blockedProduct(inBlocks(x), turned ? blockedTurned(filter) : blockedFilter(filter), dims, attributes);
}

/** Whether a convolution of each of so many channels by itself is faster in blocks. */
export function fitsDepthwiseBlocks(channels: number): boolean {
  const block = blockSize();
  return !recording.portable && block > 1 && channels % block === 0;
}

/** The convolution of each channel of an NCHW image with a filter [C, 1, kh, kw] of its own; `group` among the attributes is C. */
export function blockedDepthwise(x: Slot, filter: Slot, dims: readonly number[], attributes: Attributes): Slot {
  const [channels, , kh, kw] = filter.dims;
  const block = blockSize();
  const taps = transposed(reshaped(filter, [channels / block, block, kh * kw]), [0, 2, 1]);
  return blockedProduct(inBlocks(x), reshaped(taps, filter.dims), dims, attributes);
}

/** An NCHW image in blocks, recorded once; its dimensions stay in name. */
export const inBlocks = (x: Slot): Slot => view(x, 'in blocks', () => raw(`${NCHWC}:ReorderInput`, [x], x.dims));

/** The same for an image and filters that are in blocks already; the result is not, and output channels that were added are gone. */
export function blockedProduct(x: Slot, filter: Slot, dims: readonly number[], attributes: Attributes): Slot {
  const [n, channels, ...sides] = dims;
  const y = raw(BLOCKED_CONV, [x, filter], [n, whole(channels), ...sides], attributes);
  return raw(`${NCHWC}:ReorderOutput`, [y], dims, { channels: dims[1] });
}

/** Zeros above, left, below and right of an image in blocks: a convolution with ones runs on all threads, Pad on one. */
export function blockedPadding(x: Slot, [top, left, bottom, right]: readonly [number, number, number, number]): Slot {
  if (top + left + bottom + right === 0) return x;
  const [n, channels, height, width] = x.dims;
  const ones = constant(new Array<number>(channels).fill(1), [channels, 1, 1, 1]);
  const windows = { kernel_shape: [1, 1], group: channels, pads: [top, left, bottom, right] };
  return raw(BLOCKED_CONV, [x, ones], [n, channels, top + height + bottom, left + width + right], windows);
}

/** Images [N, C, H, W] in blocks as filters [C, N, H, W] in blocks. */
export function imagesAsFilters(images: Slot): Slot {
  const [n, channels, height, width] = images.dims;
  const blocks = channels / blockSize();
  const pixels = height * width;
  // [C/b, N/b, pixels, b of N] from [N, C/b, pixels]
  return gathered(
    images,
    [channels, n, height, width],
    'images',
    (block, image, pixel) => (image * blocks + block) * pixels + pixel,
  );
}

/** OIHW filters in blocks of input and output channels, of which the last is filled up with zeros; dimensions stay in name. */
function blockedFilter(filter: Slot): Slot {
  const [outputs, i, kh, kw] = filter.dims;
  const taps = kh * kw;
  const block = blockSize();
  const o = whole(outputs);
  const vectors = inBlocks(reshaped(filledUp(filter, o, i), [o / block, block, i, taps]));
  // [O/b, I/b, taps, b of I] from [O/b, I, taps]
  return gathered(vectors, [o, i, kh, kw], 'filters', (block, input, tap) => (block * i + input) * taps + tap);
}

/** OIHW filters as IOHW ones in blocks, each turned by half a turn: those of the input's gradient. */
function blockedTurned(filter: Slot): Slot {
  const [o, inputs, kh, kw] = filter.dims;
  const taps = kh * kw;
  const i = whole(inputs);
  const blocks = i / blockSize();
  // [I/b, O/b, taps, b of O] from [O, I/b, taps]
  const place = (block: number, output: number, tap: number) => (output * blocks + block) * taps + taps - 1 - tap;
  return gathered(inBlocks(filledUp(filter, o, i)), [i, o, kh, kw], 'turned filters', place);
}

/** OIHW filters with channels of zeros behind their own, up to so many. */
function filledUp(filter: Slot, o: number, i: number): Slot {
  const [outputs, inputs, kh, kw] = filter.dims;
  if (o === outputs && i === inputs) return filter;
  return raw('Pad', [filter, ints([0, 0, 0, 0, o - outputs, i - inputs, 0, 0])], [o, i, kh, kw]);
}

/**
 * The vectors of blocks as those of filters [A, B, kh, kw], which lie as [A/b, B/b, taps, b of B]: `place` says where the one of a block
 * of A, a channel of B and a tap was. Gather moves them on all threads, Transpose on one.
 */
function gathered(
  blocks: Slot,
  dims: readonly number[],
  kind: string,
  place: (blockOfA: number, b: number, tap: number) => number,
): Slot {
  const block = blockSize();
  const [a, b, kh, kw] = dims;
  const taps = kh * kw;
  const count = (a * b * taps) / block;
  const order = table(`places of ${kind} [${dims.join()}]`, [count], 'int32', () => {
    const places = new Int32Array(count);
    let at = 0;
    for (let outer = 0; outer < a / block; outer++) {
      for (let first = 0; first < b; first += block) {
        for (let tap = 0; tap < taps; tap++) {
          for (let inner = first; inner < first + block; inner++) places[at++] = place(outer, inner, tap);
        }
      }
    }
    return places;
  });
  return reshaped(raw('Gather', [reshaped(blocks, [count, block]), order], [count, block], { axis: 0 }), dims);
}
