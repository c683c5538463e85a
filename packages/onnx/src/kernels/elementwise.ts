import type { CastAttrs, ClipByValueAttrs, FillAttrs, LeakyReluAttrs, StepAttrs } from '@tensorflow/tfjs-core';
import { type DType, Slot, Value, constant, ints, op } from '../graph.js';
import { elementwise, number } from './broadcast.js';
import { type Kernel, type KernelTable, kernel } from './kernel.js';

const c = (value: number): Value => number(constant(value));

/** One ONNX node, for floats and, where ONNX Runtime has it for them, whole numbers. */
function binary(name: string, types: readonly DType[] = ['float32', 'int32']): Kernel {
  return kernel(({ a, b }) => (types.includes(a.dtype) && a.dtype === b.dtype ? elementwise(name, [a, b]) : undefined));
}

function unary(name: string, types: readonly DType[] = ['float32']): Kernel {
  return kernel(({ x }) => (types.includes(x.dtype) ? elementwise(name, [x]) : undefined));
}

/** A formula for floats. */
function formula<Attrs extends object = object>(record: (x: Value, attrs: Attrs) => Value): Kernel {
  return kernel<Attrs>(({ x }, attrs) => (x.dtype === 'float32' ? record(x, attrs) : undefined));
}

const add = (a: Value, b: Value) => elementwise('Add', [a, b]);
const sub = (a: Value, b: Value) => elementwise('Sub', [a, b]);
const mul = (a: Value, b: Value) => elementwise('Mul', [a, b]);
const div = (a: Value, b: Value) => elementwise('Div', [a, b]);

/** Min and max of floats, as ONNX' Clip takes them. */
export function clip(x: Value, low: number, high: number): Value {
  return op('Clip', [x.slot, constant(low), constant(high)], { shape: x.shape, layout: x.layout });
}

/** 1 where x > 0, else 0, in one pass: 2¹²⁷ · x, cut off at 0 and 1. */
export function isPositive(x: Value): Value {
  return elementwise('HardSigmoid', [x], undefined, { alpha: { float: 2 ** 127 }, beta: { float: 0 } });
}

/** 1 where x < high, else 0, for x that is high at most, in the same way. */
export function isBelow(x: Value, high: number): Value {
  return elementwise('HardSigmoid', [x], undefined, { alpha: { float: -(2 ** 120) }, beta: { float: high * 2 ** 120 } });
}

const castTypes = { float32: 1, int32: 6, int64: 7, bool: 9 };

export function cast(x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : op('Cast', [x.slot], { shape: x.shape, layout: x.layout, dtype }, { to: castTypes[dtype] });
}

/** A tensor full of one number. */
export function filled(shape: readonly number[], value: number, dtype: DType): Value {
  if (shape.length === 0) return op('Identity', [constant(value, [], dtype)], { shape });
  return op('Expand', [constant(value, [], dtype), ints(shape)], { shape });
}

/** Zeros; those of a tensor from the host, such as an optimizer's first ones of a weight, are of the host too. */
function zerosLike({ slot, shape, layout, dtype }: Value): Value {
  if (!slot.data) return filled(shape, 0, dtype);
  return new Value(new Slot(dtype, slot.dims, { data: slot.data.slice().fill(0) }), shape, layout);
}

export const elementwiseKernels: KernelTable = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('Div', ['float32']),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Pow: binary('Pow', ['float32']),
  SquaredDifference: kernel(({ a, b }) => {
    if (a.dtype === 'bool' || a.dtype !== b.dtype) return undefined;
    const difference = sub(a, b);
    return mul(difference, difference);
  }),
  AddN: kernel((inputs) => {
    const values = Object.values(inputs);
    return values.every(({ dtype }) => dtype === values[0].dtype && dtype !== 'bool') ? values.reduce(add) : undefined;
  }),

  Abs: unary('Abs', ['float32', 'int32']),
  Neg: unary('Neg', ['float32', 'int32']),
  Sign: unary('Sign', ['float32', 'int32']),
  Floor: unary('Floor'),
  Ceil: unary('Ceil'),
  Round: unary('Round'),
  Reciprocal: unary('Reciprocal'),
  Sqrt: unary('Sqrt'),
  Rsqrt: formula((x) => elementwise('Reciprocal', [elementwise('Sqrt', [x])])),
  Square: kernel(({ x }) => (x.dtype === 'bool' ? undefined : mul(x, x))),
  Exp: unary('Exp'),
  // eˣ − 1 without cancellation near 0.
  Expm1: formula((x) => mul(elementwise('Tanh', [mul(x, c(0.5))]), add(elementwise('Exp', [x]), c(1)))),
  Log: unary('Log'),
  // log(1 + x); near 0 as x · log(u) / (u − 1) with u = 1 + x rounded (Kahan).
  Log1p: formula((x) => {
    const u = add(x, c(1));
    const log = elementwise('Log', [u]);
    const rest = sub(u, c(1));
    const exact = elementwise('Equal', [rest, c(0)], 'bool');
    const near = elementwise('Where', [exact, x, mul(log, div(x, rest))], 'float32');
    const small = elementwise('Less', [elementwise('Abs', [x]), c(0.01)], 'bool');
    return elementwise('Where', [small, near, log], 'float32');
  }),
  Sin: unary('Sin'),
  Cos: unary('Cos'),
  Tan: unary('Tan'),
  Asin: unary('Asin'),
  Acos: unary('Acos'),
  Atan: unary('Atan'),
  Sinh: unary('Sinh'),
  Cosh: unary('Cosh'),
  Tanh: unary('Tanh'),
  Erf: unary('Erf'),

  Relu: unary('Relu'),
  Relu6: formula((x) => clip(x, 0, 6)),
  LeakyRelu: formula<LeakyReluAttrs>((x, { alpha }) =>
    op('LeakyRelu', [x.slot], { shape: x.shape, layout: x.layout }, { alpha: { float: alpha } }),
  ),
  Prelu: kernel(({ x, alpha }) => elementwise('PRelu', [x, alpha])),
  Elu: unary('Elu'),
  Sigmoid: unary('Sigmoid'),
  Softplus: unary('Softplus'),
  Step: formula<StepAttrs>((x, { alpha }) => {
    const step = isPositive(x);
    if (!alpha) return step;
    return elementwise('Where', [elementwise('Greater', [x, c(0)], 'bool'), step, c(alpha)], 'float32');
  }),
  ClipByValue: formula<ClipByValueAttrs>((x, { clipValueMin, clipValueMax }) => clip(x, clipValueMin, clipValueMax)),
  Cast: kernel<CastAttrs>(({ x }, { dtype }) => {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') return undefined;
    return cast(x, dtype);
  }),
  Identity: kernel(({ x }) => x),
  ZerosLike: kernel(({ x }) => zerosLike(x)),
  OnesLike: kernel(({ x }) => filled(x.shape, 1, x.dtype)),
  Fill: kernel<FillAttrs>((_inputs, { shape, value, dtype }) =>
    typeof value === 'number' && (dtype === 'float32' || dtype === 'int32' || dtype === 'bool')
      ? filled(shape, value, dtype)
      : undefined,
  ),
};

/** The activations that tfjs fuses into convolutions and products. */
export function activated(x: Value, activation: string | undefined, alpha: number | undefined, prelu?: Value): Value | undefined {
  switch (activation ?? 'linear') {
    case 'linear':
      return x;
    case 'relu':
      return elementwise('Relu', [x]);
    case 'relu6':
      return clip(x, 0, 6);
    case 'elu':
      return elementwise('Elu', [x]);
    case 'sigmoid':
      return elementwise('Sigmoid', [x]);
    case 'leakyrelu':
      return op('LeakyRelu', [x.slot], { shape: x.shape, layout: x.layout }, { alpha: { float: alpha ?? 0.2 } });
    case 'prelu':
      return prelu && elementwise('PRelu', [x, prelu]);
    default:
      return undefined;
  }
}
