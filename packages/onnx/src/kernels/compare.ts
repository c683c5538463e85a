import { type Value, constant } from '../graph.js';
import { elementwise, number } from './broadcast.js';
import { cast } from './elementwise.js';
import { type Kernel, type KernelTable, kernel } from './kernel.js';
import { reshape } from './views.js';

/** Truth values compare as whole numbers. */
function comparison(name: string): Kernel {
  return kernel(({ a, b }) => {
    if (a.dtype !== b.dtype) return undefined;
    const [left, right] = a.dtype === 'bool' ? [cast(a, 'int32'), cast(b, 'int32')] : [a, b];
    return elementwise(name, [left, right], 'bool');
  });
}

const not = (x: Value): Value => elementwise('Not', [x], 'bool');
const logical = (name: string): Kernel => kernel(({ a, b }) => elementwise(name, [cast(a, 'bool'), cast(b, 'bool')], 'bool'));

/** A question about a float; whole numbers are finite. */
function floatTest(test: (x: Value) => Value, ofWholes: number): Kernel {
  return kernel(({ x }) => {
    if (x.dtype === 'float32') return test(x);
    const same = elementwise('Equal', [cast(x, 'int32'), cast(x, 'int32')], 'bool');
    return ofWholes === 1 ? same : not(same);
  });
}
const isNan = (x: Value): Value => elementwise('IsNaN', [x], 'bool');
const isInf = (x: Value): Value => elementwise('IsInf', [x], 'bool');

/** t where the condition holds, else e. ONNX Runtime's Where has no truth values. */
function choose(condition: Value, t: Value, e: Value): Value {
  if (t.dtype !== 'bool') return elementwise('Where', [condition, t, e], t.dtype);
  return cast(choose(condition, cast(t, 'int32'), cast(e, 'int32')), 'bool');
}

export const compareKernels: KernelTable = {
  Equal: comparison('Equal'),
  NotEqual: kernel(({ a, b }) => (a.dtype === b.dtype ? not(elementwise('Equal', [a, b], 'bool')) : undefined)),
  Less: comparison('Less'),
  LessEqual: comparison('LessOrEqual'),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterOrEqual'),
  LogicalAnd: logical('And'),
  LogicalOr: logical('Or'),
  LogicalXor: logical('Xor'),
  LogicalNot: kernel(({ x }) => not(cast(x, 'bool'))),
  IsNan: floatTest(isNan, 0),
  IsInf: floatTest(isInf, 0),
  IsFinite: floatTest((x) => not(elementwise('Or', [isNan(x), isInf(x)], 'bool')), 1),
  // A condition of one axis chooses among the rows of t and e.
  Select: kernel(({ condition, t, e }) => {
    if (t.dtype !== e.dtype) return undefined;
    const rows = condition.rank === 1 && t.rank > 1;
    const choice = rows ? reshape(condition, [condition.size, ...t.shape.slice(1).map(() => 1)]) : condition;
    return choose(cast(choice, 'bool'), t, e);
  }),
};

/** A number of a formula in the type of x. */
export const like = (x: Value, value: number): Value => number(constant(value, [], x.dtype));
