import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { type TensorInfo, backend_util, util } from '@tensorflow/tfjs-core';
import { type Call, addressOf, kernelsOf, original, register } from './heap.js';

type Shape4D = readonly [number, number, number, number];

/** Parts of images and of channels, copied by whole pixels; tfjs moves them pixel by pixel from JavaScript. */
export function registerSlices(): void {
  const [slice, split, concat] = [original('Slice'), original('SplitV'), original('Concat')];

  register('ConvkitSubsample', ({ inputs: { x }, attrs, backend }: Call<'x', SubsampleAttributes>) => {
    const [n, , , c] = x.shape as [number, number, number, number];
    return [part(backend, x, [0, ...attrs.start, 0], [n, ...attrs.out, c], attrs.stride)];
  });

  register('Slice', (call: Call<'x', { begin: number | number[]; size: number | number[] }>) => {
    const { x } = call.inputs;
    const { begin, size } = call.attrs;
    const usable = x.dtype === 'float32' && x.shape.length === 4 && Array.isArray(begin) && Array.isArray(size);
    if (!usable || begin.length !== 4 || size.length !== 4) return slice(call);
    const whole = size.map((count, i) => (count < 0 ? x.shape[i] - begin[i] : count));
    return part(call.backend, x, begin as unknown as Shape4D, whole as unknown as Shape4D, [1, 1]);
  });

  register('SplitV', (call: Call<'x', { numOrSizeSplits: number | number[]; axis: number }>) => {
    const { x } = call.inputs;
    if (x.dtype !== 'float32' || !isLastAxis(x, call.attrs.axis)) return split(call);
    const channels = x.shape.at(-1)!;
    const pixels = util.sizeFromShape(x.shape.slice(0, -1));
    const rows = { ...x, shape: [1, 1, pixels, channels] };
    let begin = 0;
    return backend_util.prepareSplitSize(x as never, call.attrs.numOrSizeSplits, x.shape.length - 1).map((share) => {
      const result = part(call.backend, rows, [0, 0, 0, begin], [1, 1, pixels, share], [1, 1]);
      begin += share;
      return { ...result, shape: [...x.shape.slice(0, -1), share] };
    });
  });

  register('Concat', (call: Call<string, { axis: number }>) => {
    const parts = Object.values(call.inputs);
    const images = parts.every((x) => x.dtype === 'float32' && isLastAxis(x, call.attrs.axis));
    return images ? joined(call.backend, parts) : concat(call);
  });
}

function isLastAxis(x: TensorInfo, axis: number): boolean {
  return x.shape.length > 1 && util.parseAxisParam(axis, x.shape)[0] === x.shape.length - 1;
}

interface SubsampleAttributes {
  readonly start: readonly [number, number];
  readonly out: readonly [number, number];
  readonly stride: readonly [number, number];
}

/** x[begin₀ + i, begin₁ + j·s₁, begin₂ + k·s₂, begin₃ + l] for i, j, k, l below `size`. */
function part(backend: BackendWasm, x: TensorInfo, begin: Shape4D, size: Shape4D, stride: readonly [number, number]): TensorInfo {
  const [, h, w, c] = x.shape as [number, number, number, number];
  const [n, rows, columns, channels] = size;
  const out = backend.makeOutput([...size], 'float32');
  const [from, to] = [addressOf(backend, x), addressOf(backend, out)];
  const kernels = kernelsOf(backend);
  for (let i = 0; i < n; i++) {
    kernels.copy(
      from + 4 * ((((begin[0] + i) * h + begin[1]) * w + begin[2]) * c + begin[3]),
      to + 4 * i * rows * columns * channels,
      rows,
      columns,
      4 * c * (stride[0] * w - stride[1] * columns),
      4 * c * stride[1],
      0,
      4 * channels,
      channels,
    );
  }
  return out;
}

function joined(backend: BackendWasm, parts: readonly TensorInfo[]): TensorInfo {
  const pixels = parts[0].shape.slice(0, -1);
  backend_util.assertParamsConsistent(
    parts.map(({ shape }) => shape),
    pixels.length,
  );
  const total = parts.reduce((sum, { shape }) => sum + shape.at(-1)!, 0);
  const out = backend.makeOutput([...pixels, total], 'float32');
  const count = util.sizeFromShape(pixels);
  let to = addressOf(backend, out);
  for (const x of parts) {
    const channels = x.shape.at(-1)!;
    kernelsOf(backend).copy(addressOf(backend, x), to, 1, count, 0, 4 * channels, 0, 4 * total, channels);
    to += 4 * channels;
  }
  return out;
}
