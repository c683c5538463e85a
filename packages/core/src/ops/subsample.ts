import { type Tensor4D } from '@tensorflow/tfjs-core';
import { defineOp } from './op.js';
import { everyNth, insertZeros, padOrCrop } from './window.js';

interface Grid {
  readonly start: readonly [number, number];
  readonly out: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly size: readonly [number, number];
}

/** Picks `out` pixels `stride` apart, from `start` on: [N,H,W,C] → [N,...out,C]. */
export function subsample(
  x: Tensor4D,
  start: readonly [height: number, width: number],
  out: readonly [height: number, width: number],
  stride: readonly [height: number, width: number],
): Tensor4D {
  return pick({ x }, { start, out, stride, size: [x.shape[1], x.shape[2]] })[0] as Tensor4D;
}

const pick = defineOp<'x', Grid>({
  name: 'Subsample',
  forward: ({ x }, { start, out, stride }) => [everyNth(x as Tensor4D, start, out, stride)],
  gradient: ([dy], _saved, grid) => ({ x: () => spread({ dy }, grid)[0] }),
});

/** Puts pixels back where they were picked, among zeros: [N,...out,C] → [N,...size,C]. */
const spread = defineOp<'dy', Grid>({
  name: 'SubsampleGradient',
  forward: ({ dy }, { start, out, stride, size }) => {
    const pads = ([0, 1] as const).map((i): [number, number] => [start[i], size[i] - start[i] - out[i] * stride[i]]);
    const [top, left] = pads as [[number, number], [number, number]];
    return [padOrCrop(insertZeros(dy as Tensor4D, stride), top, left)];
  },
});
