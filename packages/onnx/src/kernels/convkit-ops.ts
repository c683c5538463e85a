import { Value, constant, ints, op, raw, reshaped } from '../graph.js';
import { NCHW } from '../layout.js';
import { affineThen } from './affine.js';
import { elementwise } from './broadcast.js';
import { clip, isBelow, isPositive } from './elementwise.js';
import { type KernelTable, kernel } from './kernel.js';

const add = (a: Value, b: Value) => elementwise('Add', [a, b]);
const mul = (a: Value, b: Value) => elementwise('Mul', [a, b]);

/** The functions of convkit's core that are ops of their own: see functional.ts there. Others run as compositions of tfjs' kernels. */
export const convkitKernels: KernelTable = {
  ConvkitRelu: kernel(({ x }) => affineThen(x, { activation: 'Relu' }) ?? elementwise('Relu', [x])),
  ConvkitReluGradient: kernel(({ dy, y }) => mul(dy, isPositive(y))),
  ConvkitRelu6: kernel(({ x }) => affineThen(x, { activation: 'Clip', activation_params: { floats: [0, 6] } }) ?? clip(x, 0, 6)),
  ConvkitRelu6Gradient: kernel(({ dy, y }) => mul(mul(dy, isPositive(y)), isBelow(y, 6))),
  ConvkitAdd: kernel(({ a, b }) => add(a, b)),
  ConvkitSilu: kernel(({ x }) => mul(x, elementwise('Sigmoid', [x]))),
  ConvkitHardSigmoid: kernel(({ x }) => op('HardSigmoid', [x.slot], x, { alpha: { float: 1 / 6 }, beta: { float: 0.5 } })),
  ConvkitHardSwish: kernel(({ x }) => elementwise('HardSwish', [x])),
  ConvkitMish: kernel(({ x }) => mul(x, elementwise('Tanh', [elementwise('Softplus', [x])]))),

  ConvkitGlobalAvgPool: kernel(({ x }) => {
    const [n, , , channels] = x.shape as [number, number, number, number];
    const mean = raw('GlobalAveragePool', [x.in(NCHW)], [n, channels, 1, 1]);
    return new Value(reshaped(mean, [n, channels]), [n, channels]);
  }),

  ConvkitSubsample: kernel<Grid>(({ x }, { start, out, stride }) => {
    const shape = [x.shape[0], out[0], out[1], x.shape[3]];
    const places = [0, 1].map((i) => ({ from: start[i], to: Math.min(x.shape[1 + i], start[i] + out[i] * stride[i]) }));
    const inputs = [places.map(({ from }) => from), places.map(({ to }) => to), [2, 3], stride].map(ints);
    return op('Slice', [x.in(NCHW), ...inputs], { shape, layout: NCHW });
  }),

  // Zeros behind each row and column, as axes of their own; then those before, and what is too much or too little at the end.
  ConvkitSubsampleGradient: kernel<Grid>(({ dy }, { start, out, stride, size }) => {
    const [n, c] = [dy.shape[0], dy.shape[3]];
    const [height, width] = size;
    // Columns by a product with a matrix of single ones: Pad would write every other element by itself, on one thread.
    const ones = new Array<number>(out[1] * width).fill(0);
    for (let column = 0; column < out[1]; column++) ones[column * width + start[1] + column * stride[1]] = 1;
    const columns = raw('MatMul', [dy.in(NCHW), constant(ones, [out[1], width])], [n, c, out[0], width]);
    const behind = ints([0, 0, 0, 0, 0, 0, 0, 0, stride[0] - 1, 0]);
    const rows = raw('Pad', [reshaped(columns, [n, c, out[0], 1, width]), behind], [n, c, out[0], stride[0], width]);
    const whole = reshaped(rows, [n, c, out[0] * stride[0], width]);
    const pads = ints([0, 0, start[0], 0, 0, 0, height - start[0] - out[0] * stride[0], 0]);
    return op('Pad', [whole, pads], { shape: [n, ...size, c], layout: NCHW });
  }),
};

interface Grid {
  readonly start: readonly [number, number];
  readonly out: readonly [number, number];
  readonly stride: readonly [number, number];
  /** Of the whole image. */
  readonly size: readonly [number, number];
}
