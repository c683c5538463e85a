import type { Fan } from '../init.js';

/**
 * How a weight lies in memory against its shape in a PyTorch checkpoint:
 * `conv` [out, in/groups, kh, kw] ↔ HWIO, `convTranspose` [in, out, kh, kw] ↔ HWOI, `linear` [out, in] ↔ [in, out], `plain` unchanged.
 */
export type Layout = 'conv' | 'convTranspose' | 'linear' | 'plain';

interface LayoutRule {
  /** The tfjs shape of a weight of this PyTorch shape. */
  shape(torch: readonly number[]): number[];
  fromTorch(values: Float32Array, torch: readonly number[]): Float32Array;
  toTorch(values: Float32Array, torch: readonly number[]): Float32Array;
  fan(torch: readonly number[]): Fan;
}

/** Both layouts are a transposition of [out, rest] in which `rest` is reordered from [in, taps] to [taps, in]. */
function rule(shape: LayoutRule['shape']): LayoutRule {
  const dims = ([out, input, ...kernel]: readonly number[]) => ({ out, in: input, taps: kernel.reduce((a, b) => a * b, 1) });
  return {
    shape,
    fan(torch) {
      const d = dims(torch);
      return { in: d.in * d.taps, out: d.out * d.taps };
    },
    fromTorch(values, torch) {
      const d = dims(torch);
      const result = new Float32Array(values.length);
      let k = 0;
      for (let o = 0; o < d.out; o++)
        for (let i = 0; i < d.in; i++) for (let t = 0; t < d.taps; t++) result[(t * d.in + i) * d.out + o] = values[k++];
      return result;
    },
    toTorch(values, torch) {
      const d = dims(torch);
      const result = new Float32Array(values.length);
      let k = 0;
      for (let o = 0; o < d.out; o++)
        for (let i = 0; i < d.in; i++) for (let t = 0; t < d.taps; t++) result[k++] = values[(t * d.in + i) * d.out + o];
      return result;
    },
  };
}

export const layouts: Readonly<Record<Layout, LayoutRule>> = {
  conv: rule(([out, input, h, w]) => [h, w, input, out]),
  convTranspose: rule(([input, out, h, w]) => [h, w, out, input]),
  linear: rule(([out, input]) => [input, out]),
  plain: {
    shape: (torch) => [...torch],
    fromTorch: (values) => values,
    toTorch: (values) => values.slice(),
    fan: (torch) => ({ in: torch[1] ?? torch[0] ?? 1, out: torch[0] ?? 1 }),
  },
};
