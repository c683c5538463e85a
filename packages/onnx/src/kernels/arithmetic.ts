import type { LinSpaceAttrs, RangeAttrs } from '@tensorflow/tfjs-core';
import { type HostValues, Slot, Value } from '../graph.js';
import { elementwise } from './broadcast.js';
import { like } from './compare.js';
import { type Kernel, type KernelTable, kernel } from './kernel.js';

const add = (a: Value, b: Value): Value => elementwise('Add', [a, b]);
const sub = (a: Value, b: Value): Value => elementwise('Sub', [a, b]);
const mul = (a: Value, b: Value): Value => elementwise('Mul', [a, b]);
const div = (a: Value, b: Value): Value => elementwise('Div', [a, b]);
const below = (a: Value, b: Value): Value => elementwise('Less', [a, b], 'bool');
const equal = (a: Value, b: Value): Value => elementwise('Equal', [a, b], 'bool');
const not = (a: Value): Value => elementwise('Not', [a], 'bool');
const where = (condition: Value, a: Value, b: Value): Value => elementwise('Where', [condition, a, b], a.dtype);

const floats = (name: string): Kernel => kernel(({ x }) => (x.dtype === 'float32' ? elementwise(name, [x]) : undefined));

/** Where a rest of a division is not 0 and has not the divisor's sign. */
function strays(rest: Value, divisor: Value): Value {
  const [restIsNegative, divisorIsNegative] = [below(rest, like(rest, 0)), below(divisor, like(divisor, 0))];
  const differ = elementwise('Xor', [restIsNegative, divisorIsNegative], 'bool');
  return elementwise('And', [differ, not(equal(rest, like(rest, 0)))], 'bool');
}

/** Divisors without 0, by which whole numbers cannot be divided: the result there is 0, as tfjs stores it. */
function wholeDivision(b: Value, divide: (divisor: Value) => Value): Value {
  const isZero = equal(b, like(b, 0));
  return where(isZero, like(b, 0), divide(where(isZero, like(b, 1), b)));
}

const isFloat = (x: Value): boolean => x.dtype === 'float32';
const host = (values: HostValues, dtype: 'float32' | 'int32'): Value =>
  new Value(new Slot(dtype, [values.length], { data: values }), [values.length]);

export const arithmeticKernels: KernelTable = {
  // ONNX' division of whole numbers rounds towards 0, tfjs' down.
  FloorDiv: kernel(({ a, b }) => {
    if (a.dtype !== 'int32' || b.dtype !== 'int32') return undefined;
    return wholeDivision(b, (divisor) => {
      const quotient = div(a, divisor);
      const rest = sub(a, mul(quotient, divisor));
      return where(strays(rest, divisor), sub(quotient, like(a, 1)), quotient);
    });
  }),
  // The rest has the divisor's sign.
  Mod: kernel(({ a, b }) => {
    if (a.dtype !== b.dtype || a.dtype === 'bool') return undefined;
    if (!isFloat(a)) return wholeDivision(b, (divisor) => elementwise('Mod', [a, divisor]));
    const rest = elementwise('Mod', [a, b], 'float32', { fmod: 1 });
    return where(strays(rest, b), add(rest, b), rest);
  }),
  Atan2: kernel(({ a: y, b: x }) => {
    if (!isFloat(x) || !isFloat(y)) return undefined;
    const [zero, half] = [like(x, 0), like(x, Math.PI / 2)];
    const angle = elementwise('Atan', [div(y, x)]);
    const turned = where(below(y, zero), sub(angle, like(x, Math.PI)), add(angle, like(x, Math.PI)));
    const upright = mul(elementwise('Sign', [y]), half);
    return where(equal(x, zero), upright, where(below(x, zero), turned, angle));
  }),
  EluGrad: kernel(({ dy, y }) => mul(dy, add(elementwise('Min', [y, like(y, 0)]), like(y, 1)))),
  Selu: floats('Selu'),
  Asinh: floats('Asinh'),
  Acosh: floats('Acosh'),
  Atanh: floats('Atanh'),
  Range: kernel<RangeAttrs>((_inputs, { start, stop, step, dtype = 'float32' }) => {
    const count = Math.max(0, Math.ceil((stop - start) / step));
    const type = dtype === 'int32' ? Int32Array : Float32Array;
    const values = type.from({ length: step === 0 ? 0 : count });
    let value = start;
    for (let i = 0; i < values.length; i++, value += step) values[i] = value;
    return host(values, dtype);
  }),
  LinSpace: kernel<LinSpaceAttrs>((_inputs, { start, stop, num }) => {
    const step = num > 1 ? (stop - start) / (num - 1) : 0;
    const values = new Float32Array(num);
    let value = start;
    for (let i = 0; i < num; i++, value += step) values[i] = value;
    return host(values, 'float32');
  }),
};
