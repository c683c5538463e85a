import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { ConvPlan } from '../../ops/conv2d.js';
import type { Axis } from '../../ops/window.js';
import { type Call, addressOf, kernelsOf, valuesOf } from './heap.js';

type Forward = (call: Call<string, object>) => TensorInfo;

/** The pixels φ, φ + s, φ + 2s … of dx along one axis: a convolution of dy with every tap of the filter that reached them. */
interface Phase {
  readonly first: number;
  readonly count: number;
  /** Largest first: the filter is flipped. */
  readonly taps: readonly number[];
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  /** Results before the first that is wanted. */
  readonly skip: number;
}

/**
 * The gradient of a convolution in its input. Each of the s × s phases of dx is a convolution of dy with stride 1, which
 * XNNPACK computes; with stride 1 there is one. No multiplication by an inserted zero is made.
 */
export function inputGradient(
  backend: BackendWasm,
  dy: TensorInfo,
  filter: TensorInfo,
  plan: ConvPlan,
  forward: { dense: Forward; depthwise: Forward },
): TensorInfo {
  const { height, width } = plan;
  const [n, , , cout] = dy.shape as [number, number, number, number];
  const depth = filter.shape[2];
  const cin = depth * plan.groups;
  const depthwise = plan.groups > 1 && depth === 1 && cout === cin;
  const groups = depthwise ? 1 : plan.groups;
  const convolve = (input: TensorInfo, group: number, y: Phase, x: Phase): TensorInfo => {
    const taps = flipped(backend, filter, { y, x, group, groups, depthwise });
    const pad = [
      [0, 0],
      [y.before, y.after],
      [x.before, x.after],
      [0, 0],
    ];
    const attrs = { strides: [1, 1], dilations: [y.dilation, x.dilation], pad, dataFormat: 'NHWC' };
    const result = (depthwise ? forward.depthwise : forward.dense)({ inputs: { x: input, filter: taps }, attrs, backend });
    backend.disposeData(taps.dataId);
    return result;
  };
  const [rows, columns] = [phases(height), phases(width)];
  if (groups === 1 && rows.length === 1 && columns.length === 1 && fits(rows[0], height) && fits(columns[0], width)) {
    return convolve(dy, 0, rows[0], columns[0]);
  }
  const dx = backend.makeOutput([n, height.in, width.in, cin], 'float32');
  valuesOf(backend, dx).fill(0);
  for (let group = 0; group < groups; group++) {
    const part = groups === 1 ? dy : channelsOf(backend, dy, group, groups);
    for (const y of rows) {
      for (const x of columns) {
        if (y.taps.length === 0 || x.taps.length === 0) continue;
        const result = convolve(part, group, y, x);
        place(backend, result, dx, { y, x, height, width, channel: groups === 1 ? 0 : group * depth });
        backend.disposeData(result.dataId);
      }
    }
    if (part !== dy) backend.disposeData(part.dataId);
  }
  return dx;
}

/** dx[s·j + φ] = Σ filter[k] · dy[j + e], e = (φ + before − k·dilation) / s, over the taps k for which e is whole. */
function phases(axis: Axis): Phase[] {
  const result: Phase[] = [];
  for (let first = 0; first < Math.min(axis.stride, axis.in); first++) {
    const offset = (k: number) => (first + axis.before - k * axis.dilation) / axis.stride;
    const taps = Array.from({ length: axis.kernel }, (_, i) => axis.kernel - 1 - i).filter((k) => Number.isInteger(offset(k)));
    const count = Math.ceil((axis.in - first) / axis.stride);
    const lowest = offset(taps[0] ?? 0);
    const reach = offset(taps.at(-1) ?? 0) - lowest;
    const dilation = taps.length > 1 ? reach / (taps.length - 1) : 1;
    const before = Math.max(0, -lowest);
    const skip = Math.max(0, lowest);
    const after = Math.max(0, count + skip - axis.out - before + reach);
    result.push({ first, count, taps, dilation, before, after, skip });
  }
  return result;
}

/** Is the phase, as convolved, the whole of dx along this axis? */
function fits(phase: Phase, axis: Axis): boolean {
  const results = axis.out + phase.before + phase.after - (phase.taps.length - 1) * phase.dilation;
  return phase.skip === 0 && results === axis.in && phase.taps.length > 0;
}

interface Part {
  readonly y: Phase;
  readonly x: Phase;
  readonly group: number;
  readonly groups: number;
  readonly depthwise: boolean;
}

/** The taps of two phases, flipped, inputs and outputs swapped: [kh,kw,cin/groups,cout] → [·,·,cout/groups,cin/groups]. */
function flipped(backend: BackendWasm, filter: TensorInfo, { y, x, group, groups, depthwise }: Part): TensorInfo {
  const [, kw, depth, cout] = filter.shape as [number, number, number, number];
  const width = cout / groups;
  const shape = depthwise ? [cout, 1] : [width, depth];
  const result = backend.makeOutput([y.taps.length, x.taps.length, ...shape], 'float32');
  const [from, to] = [valuesOf(backend, filter), valuesOf(backend, result)];
  let i = 0;
  for (const ky of y.taps) {
    for (const kx of x.taps) {
      const tap = (ky * kw + kx) * depth * cout + group * width;
      for (let co = 0; co < width; co++) for (let ci = 0; ci < depth; ci++) to[i++] = from[tap + ci * cout + co]!;
    }
  }
  return result;
}

/** One group's share of the channels. */
function channelsOf(backend: BackendWasm, x: TensorInfo, group: number, groups: number): TensorInfo {
  const channels = x.shape.at(-1)!;
  const share = channels / groups;
  const pixels = x.shape.slice(0, -1);
  const result = backend.makeOutput([...pixels, share], 'float32');
  const count = pixels.reduce((a, b) => a * b, 1);
  const from = addressOf(backend, x) + 4 * group * share;
  kernelsOf(backend).copy(from, addressOf(backend, result), 1, count, 0, 4 * channels, 0, 4 * share, share);
  return result;
}

interface Destination {
  readonly y: Phase;
  readonly x: Phase;
  readonly height: Axis;
  readonly width: Axis;
  readonly channel: number;
}

/** Writes what was computed for two phases to its pixels of dx. */
function place(backend: BackendWasm, result: TensorInfo, dx: TensorInfo, { y, x, height, width, channel }: Destination): void {
  const [n, rows, columns, channels] = result.shape as [number, number, number, number];
  const pixel = 4 * dx.shape[3];
  const [from, to] = [addressOf(backend, result), addressOf(backend, dx)];
  const kernels = kernelsOf(backend);
  for (let image = 0; image < n; image++) {
    kernels.copy(
      from + 4 * channels * ((image * rows + y.skip) * columns + x.skip),
      to + pixel * ((image * height.in + y.first) * width.in + x.first) + 4 * channel,
      y.count,
      x.count,
      4 * channels * (columns - x.count),
      4 * channels,
      pixel * (height.stride * width.in - x.count * width.stride),
      pixel * width.stride,
      channels,
    );
  }
}
