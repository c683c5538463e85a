import type { BatchMatMulAttrs, EinsumAttrs, _FusedMatMulAttrs } from '@tensorflow/tfjs-core';
import { type Slot, Value, op, raw } from '../graph.js';
import { type Layout, layoutOf, plainLayout } from '../layout.js';
import { broadcastShape, elementwise } from './broadcast.js';
import { activated } from './elementwise.js';
import { type KernelTable, kernel } from './kernel.js';
import { reshape } from './views.js';

/** The layout in which a stack of matrices lies transposed. */
function swapped(rank: number): Layout {
  const axes = plainLayout(rank);
  return layoutOf([...axes.slice(0, -2), rank - 1, rank - 2]);
}

/** The memory of a matrix as it lies, and whether Gemm has to transpose it. */
function asItLies(x: Value, transpose: boolean): { slot: Slot; transposed: boolean } {
  const lies = x.layout === swapped(2);
  return { slot: lies ? x.slot : x.in(), transposed: lies !== transpose };
}

/** a · b for stacks of matrices, either transposed; for single matrices plus a vector that is added to each row. */
function product(a: Value, b: Value, transposeA: boolean, transposeB: boolean, bias?: Value): Value | undefined {
  if (a.size === 0 || b.size === 0 || a.dtype !== b.dtype) return undefined;
  const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
  const batch = broadcastShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const shape = [...batch, rows, columns];
  const single = [a, b].every((x) => x.shape.slice(0, -2).every((n) => n === 1));
  if (single && a.dtype === 'float32') {
    const left = asItLies(reshape(a, a.shape.slice(-2)), transposeA);
    const right = asItLies(reshape(b, b.shape.slice(-2)), transposeB);
    const attributes = { transA: +left.transposed, transB: +right.transposed };
    const inputs = [left.slot, right.slot, ...(bias ? [bias.in()] : [])];
    return reshape(op('Gemm', inputs, { shape: [rows, columns] }, attributes), shape);
  }
  const slots = [a.in(transposeA ? swapped(a.rank) : undefined), b.in(transposeB ? swapped(b.rank) : undefined)];
  const y = new Value(raw('MatMul', slots, shape), shape);
  return bias ? elementwise('Add', [y, bias]) : y;
}

export const matmulKernels: KernelTable = {
  BatchMatMul: kernel<BatchMatMulAttrs>(({ a, b }, { transposeA, transposeB }) => product(a, b, transposeA, transposeB)),
  _FusedMatMul: kernel<_FusedMatMulAttrs>((inputs, attrs) => {
    const { a, b } = inputs;
    const { bias, preluActivationWeights } = inputs as Readonly<Record<string, Value | undefined>>;
    const rowwise = bias?.rank === 1;
    const y = product(a, b, attrs.transposeA, attrs.transposeB, rowwise ? bias : undefined);
    const biased = y && bias && !rowwise ? elementwise('Add', [y, bias]) : y;
    return biased && activated(biased, attrs.activation, attrs.leakyreluAlpha, preluActivationWeights);
  }),
  Einsum: kernel<EinsumAttrs>((inputs, { equation }) => {
    const values = Object.values(inputs);
    if (values.some(({ dtype }) => dtype !== 'float32')) return undefined;
    const [terms, result] = equation.replace(/\s/g, '').split('->') as [string, string];
    const sizes = new Map<string, number>();
    terms.split(',').forEach((term, i) => [...term].forEach((letter, axis) => sizes.set(letter, values[i].shape[axis])));
    const shape = [...result].map((letter) => sizes.get(letter)!);
    return op(
      'Einsum',
      values.map((value) => value.in()),
      { shape },
      { equation: `${terms}->${result}` },
    );
  }),
};
