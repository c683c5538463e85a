import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { type TensorInfo, broadcast_util, util } from '@tensorflow/tfjs-core';
import { type Call, addressOf, kernelsOf, original, register, valuesOf } from './heap.js';
import { isOuterReduction, sumOver } from './reductions.js';

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Products of matrices other than A·B, and sums over other axes than the last: what a gradient needs of both. */
export function registerLinearAlgebra(): void {
  const [matMul, sum, mean, transpose] = [original('BatchMatMul'), original('Sum'), original('Mean'), original('Transpose')];

  register('BatchMatMul', (call: Call<'a' | 'b', MatMulAttributes>) => {
    const { a, b } = call.inputs;
    const { transposeA, transposeB } = call.attrs;
    const single = [...a.shape.slice(0, -2), ...b.shape.slice(0, -2)].every((size) => size === 1);
    if (single && !transposeA && !transposeB) return matMul(call);
    const swapped = (x: TensorInfo): TensorInfo => {
      const perm = x.shape.map((_, i) => i);
      perm.push(...perm.splice(-2).reverse());
      return transpose({ inputs: { x }, attrs: { perm }, backend: call.backend });
    };
    const [left, right] = [transposeA ? a : swapped(a), transposeB ? swapped(b) : b];
    const out = outerProductSums(call.backend, left, right);
    if (left !== a) call.backend.disposeData(left.dataId);
    if (right !== b) call.backend.disposeData(right.dataId);
    return out;
  });

  register('Sum', (call: Call<'x', { axis: number | number[]; keepDims?: boolean }>) =>
    isOuterReduction(call.inputs.x, call.attrs.axis) ? sumOver(call.backend, call.inputs.x, call.attrs, false) : sum(call),
  );
  register('Mean', (call: Call<'x', { axis: number | number[]; keepDims?: boolean }>) =>
    isOuterReduction(call.inputs.x, call.attrs.axis) ? sumOver(call.backend, call.inputs.x, call.attrs, true) : mean(call),
  );
}

/** Aᵀ·B of [..., K, M] and [..., K, N], batches broadcast: the sum of the outer products of their rows. */
function outerProductSums(backend: BackendWasm, a: TensorInfo, b: TensorInfo): TensorInfo {
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [k, m, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  if (b.shape.at(-2) !== k) throw new Error(`matMul: inner sizes ${k} and ${b.shape.at(-2)} differ.`);
  const outer = broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const [countA, countB, count] = [outerA, outerB, outer].map((shape) => util.sizeFromShape(shape)) as [number, number, number];
  const out = backend.makeOutput([...outer, m, n], 'float32');
  valuesOf(backend, out).fill(0);
  const [aStart, bStart, start] = [a, b, out].map((info) => addressOf(backend, info)) as [number, number, number];
  const kernels = kernelsOf(backend);
  const block = 512;
  for (let i = 0; i < count; i++) {
    for (let first = 0; first < k; first += block) {
      const aBlock = aStart + 4 * m * ((i % countA) * k + first);
      const bBlock = bStart + 4 * n * ((i % countB) * k + first);
      const columns = Math.min(block, k - first);
      kernels.outerProducts(aBlock, bBlock, start + 4 * i * m * n, 1, columns, 0, 4 * m, 0, 4 * n, m, n, 4 * n);
    }
  }
  return out;
}
