import { type Attributes, type Slot, Value, raw, recording, reshaped, table } from '../graph.js';
import { blockSize } from './block-size.js';
import { BLOCKED_CONV } from './blocked.js';

/**
 * scale · x + offset (+ addend) for each channel of images [N,C,H,W] in one pass over memory: a depthwise convolution over blocks, for
 * which as many pixels in a row as a block has channels are taken for one. Undefined where it is not faster or does not fit.
 */
export function affine(x: Slot, scale: Slot, offset: Slot, addend?: Slot): Slot | undefined {
  const block = blockSize();
  const [n, channels, height, width] = x.dims as Shape4;
  const pixels = height * width;
  if (recording.portable || block === 1 || pixels % block !== 0 || n * channels * pixels < ENOUGH_ELEMENTS) return undefined;
  const dims = [n, channels * block, 1, pixels / block];
  const places = (shape: readonly number[]) => eachTimes(channels, block, shape);
  const inputs = [
    reshaped(x, dims),
    raw('Gather', [scale, places([dims[1], 1, 1, 1])], [dims[1], 1, 1, 1], { axis: 0 }),
    raw('Gather', [offset, places([dims[1]])], [dims[1]], { axis: 0 }),
    ...(addend ? [reshaped(addend, dims)] : []),
  ];
  const then = (activation: Attributes) =>
    reshaped(raw(BLOCKED_CONV, inputs, dims, { kernel_shape: [1, 1], group: dims[1], ...activation }), x.dims);
  const y = then({});
  activated.set(y, then);
  return y;
}

type Shape4 = readonly [number, number, number, number];

/** Elements from which on a pass over memory that is saved is worth the small nodes for it. */
const ENOUGH_ELEMENTS = 2 ** 18;

/** What records an affine map again, with an activation after it. */
const activated = new WeakMap<Slot, (activation: Attributes) => Slot>();

/** The activation of an affine map that is still to be computed, in the same pass; undefined for another value. */
export function affineThen({ slot, shape, layout }: Value, activation: Attributes): Value | undefined {
  const record = slot.node && activated.get(slot);
  return record && new Value(record(activation), shape, layout);
}

/** 0, 0, …, 1, 1, …: each of `count` numbers as often as `times` says. */
const eachTimes = (count: number, times: number, dims: readonly number[]): Slot =>
  table(`${count} numbers ${times} times, [${dims.join()}]`, dims, 'int32', () =>
    Array.from({ length: count * times }, (_, i) => Math.floor(i / times)),
  );
