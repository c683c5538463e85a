import { device } from '../device.js';
import { type Attributes, Node, type Slot, constant, raw, recording, reshaped, transposed, view } from '../graph.js';
import { encodeModel } from '../proto/model.js';
import { openRuntime } from '../runtime.js';

/**
 * ONNX Runtime's own convolution over blocks of channels: images [N, C/b, H, W, b], filters [O/b, I/b, kh, kw, b of I, b of O].
 * Its optimiser takes it for constant filters only; with filters that change it is recorded by name. It computes without the
 * copies that the other convolution makes of each window.
 */
const DOMAIN = 'com.microsoft.nchwc';
export const BLOCKED_CONV = `${DOMAIN}:Conv`;

/** Products of pixels and images from which on the reordering of a filter pays, for each output channel. */
const PIXELS_PER_CHANNEL = 32;

/** Whether a convolution of these sizes is faster in blocks. */
export function fitsBlocks(cin: number, cout: number, pixels: number): boolean {
  if (recording.portable || pixels < PIXELS_PER_CHANNEL * Math.max(cin, cout)) return false;
  const block = blockSize();
  return block > 1 && cin % block === 0 && cout % block === 0;
}

/** The convolution of an NCHW image with OIHW filters. */
export function blockedConv(x: Slot, filter: Slot, dims: readonly number[], attributes: Attributes): Slot {
  return blockedProduct(inBlocks(x), blockedFilter(filter), dims, attributes);
}

/** Whether a convolution of each of so many channels by itself is faster in blocks. */
export function fitsDepthwiseBlocks(channels: number): boolean {
  const block = blockSize();
  return !recording.portable && block > 1 && channels % block === 0;
}

/** The convolution of each channel of an NCHW image with a filter [C, 1, kh, kw] of its own. */
export function blockedDepthwise(x: Slot, filter: Slot, dims: readonly number[], attributes: Attributes): Slot {
  const [channels, , kh, kw] = filter.dims;
  const block = blockSize();
  const taps = transposed(reshaped(filter, [channels / block, block, kh * kw]), [0, 2, 1]);
  return blockedProduct(inBlocks(x), reshaped(taps, filter.dims), dims, { ...attributes, group: channels });
}

/** An NCHW image in blocks, recorded once; its dimensions stay in name. */
export const inBlocks = (x: Slot): Slot => view(x, 'in blocks', () => raw(`${DOMAIN}:ReorderInput`, [x], x.dims));

/** The same for an image and filters that are in blocks already; the result is not. */
export function blockedProduct(x: Slot, filter: Slot, dims: readonly number[], attributes: Attributes): Slot {
  const y = raw(BLOCKED_CONV, [x, filter], dims, attributes);
  return raw(`${DOMAIN}:ReorderOutput`, [y], dims, { channels: dims[1] });
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
  const vectors = reshaped(images, [images.dims.reduce((a, b) => a * b) / blockSize(), blockSize()]);
  const gathered = raw('Gather', [vectors, filterOrder(n, channels / blockSize(), height * width)], vectors.dims, { axis: 0 });
  return reshaped(gathered, [channels, n, height, width]);
}

const filterOrders = new Map<string, Slot>();

/** Where the vectors [C/b, N/b, pixels, b of N] of filters lie among those of images, [N, C/b, pixels]. */
function filterOrder(n: number, channelBlocks: number, pixels: number): Slot {
  const key = [n, channelBlocks, pixels].join();
  const known = filterOrders.get(key);
  if (known) return known;
  const block = blockSize();
  const places: number[] = [];
  for (let channels = 0; channels < channelBlocks; channels++) {
    for (let first = 0; first < n; first += block) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        for (let image = first; image < first + block; image++) places.push((image * channelBlocks + channels) * pixels + pixel);
      }
    }
  }
  const order = constant(places, [places.length], 'int32');
  filterOrders.set(key, order);
  return order;
}

/** OIHW in blocks of input and output channels; its dimensions stay in name. */
function blockedFilter(filter: Slot): Slot {
  const [o, i, kh, kw] = filter.dims;
  const block = blockSize();
  const parts = reshaped(filter, [o / block, block, i / block, block, kh, kw]);
  return reshaped(transposed(parts, [0, 2, 4, 5, 3, 1]), [o, i, kh, kw]);
}

let size: number | undefined;

/** Channels in a block: 16 or 8 by the width of this machine's vectors; 1 where the runtime has no such convolution. */
export function blockSize(): number {
  return (size ??= findBlockSize());
}

/** Reorders two pixels of 16 channels and looks where the second channel went. */
function findBlockSize(): number {
  if (device() !== 'cpu') return 1;
  const channels = 16;
  const values = Array.from({ length: 2 * channels }, (_, i) => i);
  const input = constant(values, [1, channels, 1, 2]);
  const node = new Node(`${DOMAIN}:ReorderInput`, [input], [{ dtype: 'float32', dims: [1, channels, 1, 2] }], {});
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  const model = {
    nodes: [{ node, inputs: ['x'], outputs: ['y'] }],
    inputs: [],
    outputs: [{ name: 'y', dtype: 'float32', dims: [1, channels, 1, 2] }],
    initializers: [{ name: 'x', dtype: 'float32', dims: [1, channels, 1, 2], bytes }],
  } as const;
  try {
    const session = openRuntime().load(encodeModel(model), { graphOptimizationLevel: 'disabled' });
    const order = session.run({}, { y: null }, {}).y.data as Float32Array;
    session.dispose();
    // In blocks of b the second pixel of the first channel, value 1, comes after b values.
    return order.indexOf(1);
  } catch {
    return 1;
  }
}
