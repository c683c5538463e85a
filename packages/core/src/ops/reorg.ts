import { type Rank, type Tensor, reshape, tidy, transpose } from '@tensorflow/tfjs-core';
import { ShapeError } from '../errors.js';

/**
 * Darknet's `[reorg]`: [N,H,W,C] → [N,H/s,W/s,C·s²]. Not space-to-depth: the values in their order channel, row, column are taken for
 * C/s² planes of H·s × W·s, whose s² phases then follow each other (Redmon and Farhadi 2016, arXiv:1612.08242, "passthrough", as released).
 * Differentiable. Throws ShapeError where s does not divide H and W, or s² does not divide C.
 */
export function reorg(x: Tensor, stride: number): Tensor {
  const [n, h, w, c] = x.shape;
  const s = stride;
  if (x.rank !== 4 || h % s !== 0 || w % s !== 0 || c % (s * s) !== 0) {
    throw new ShapeError(
      `reorg: a stride of ${s} takes x [N,H,W,C] with H and W divisible by ${s} and C by ${s * s}, not [${x.shape}].`,
    );
  }
  return tidy(() => {
    // [n, C/s², H, s, W, s] → [n, s, s, C/s², H, W], in transpositions of four dimensions, which every backend has
    const rows = reshape<Rank.R4>(transpose(x, [0, 3, 1, 2]), [(n * c * h) / (s * s), s, w, s]);
    const phases = reshape<Rank.R4>(transpose(rows, [0, 1, 3, 2]), [n, (c * h) / (s * s), s * s, w]);
    const planes = reshape<Rank.R4>(transpose(phases, [0, 2, 1, 3]), [n, c * s * s, h / s, w / s]);
    return transpose(planes, [0, 2, 3, 1]);
  });
}
