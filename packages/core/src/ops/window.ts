import { type Tensor4D, pad as padTensor, reshape, slice, stridedSlice } from '@tensorflow/tfjs-core';

/** How windows lie along one axis: `out` of them, `stride` apart, over the input with `before` and `after` elements of padding. */
export interface Axis {
  readonly in: number;
  readonly out: number;
  readonly before: number;
  readonly after: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
}

/** The elements between the first and the last that a window touches, both included. */
export const extent = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1;

/** Pads height and width of [N,H,W,C]; a negative amount crops. */
export function padOrCrop(
  x: Tensor4D,
  [top, bottom]: readonly [number, number],
  [left, right]: readonly [number, number],
  value = 0,
): Tensor4D {
  const [n, h, w, c] = x.shape;
  const crop = [top, bottom, left, right].map((amount) => Math.max(0, -amount)) as [number, number, number, number];
  let y = x;
  if (crop.some((amount) => amount > 0)) {
    y = slice(y, [0, crop[0], crop[2], 0], [n, h - crop[0] - crop[1], w - crop[2] - crop[3], c]);
  }
  const amount = (value: number) => Math.max(0, value);
  if (top > 0 || bottom > 0 || left > 0 || right > 0) {
    y = padTensor(
      y,
      [
        [0, 0],
        [amount(top), amount(bottom)],
        [amount(left), amount(right)],
        [0, 0],
      ],
      value,
    );
  }
  return y;
}

/** Every s-th pixel from `start` on: `out` [height, width] of them. */
export function everyNth(
  x: Tensor4D,
  start: readonly [number, number],
  out: readonly [number, number],
  stride: readonly [number, number],
): Tensor4D {
  const [n, , , c] = x.shape;
  const size = [(out[0] - 1) * stride[0] + 1, (out[1] - 1) * stride[1] + 1] as const;
  if (stride[0] === 1 && stride[1] === 1) return slice(x, [0, start[0], start[1], 0], [n, size[0], size[1], c]);
  const end = [n, start[0] + size[0], start[1] + size[1], c];
  return stridedSlice(x, [0, start[0], start[1], 0], end, [1, stride[0], stride[1], 1]) as Tensor4D;
}

/** Puts stride − 1 zeros after every pixel: [N,h,w,C] → [N,h·s,w·s,C]. */
export function insertZeros(x: Tensor4D, stride: readonly [number, number]): Tensor4D {
  const [n, h, w, c] = x.shape;
  let y = x;
  if (stride[0] > 1) {
    const rows = padTensor(reshape(y, [n * h, 1, w * c]), [
      [0, 0],
      [0, stride[0] - 1],
      [0, 0],
    ]);
    y = reshape(rows, [n, h * stride[0], w, c]);
  }
  if (stride[1] > 1) {
    const pixels = padTensor(reshape(y, [n * h * stride[0] * w, 1, c]), [
      [0, 0],
      [0, stride[1] - 1],
      [0, 0],
    ]);
    y = reshape(pixels, [n, h * stride[0], w * stride[1], c]);
  }
  return y;
}
