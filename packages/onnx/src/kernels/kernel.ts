import {
  type KernelBackend,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
  getKernelsForBackend,
  registerKernel,
} from '@tensorflow/tfjs-core';
import type { OnnxBackend } from '../backend.js';
import { fallBack } from '../fallback.js';
import type { Value } from '../graph.js';

/**
 * How a kernel of tfjs is written for this backend. A family of them is a table by tfjs' kernel name, listed in `index.ts`:
 *
 * ```ts
 * export const reduceKernels: KernelTable = {
 *   Sum: kernel<SumAttrs>(({ x }, { axis, keepDims }) => op('ReduceSum', [x.in(), ints(…)], { shape: … }, { keepdims: 1 })),
 * };
 * ```
 *
 * - An input is a `Value` (`../graph.ts`): `shape` is tfjs' logical shape, `dtype` one of float32, int32, bool. Inputs that tfjs
 *   passes as a list (Concat, AddN) are under '0', '1', …: take `Object.values(inputs)`. Optional inputs may be undefined.
 * - `x.in()` is the memory to compute with, axes in tfjs' order; `x.in(layout)` has them in another (NCHW, OIHW). Where they lie
 *   otherwise a Transpose is recorded, once. A kernel that works in any layout takes `x.slot` and says `layout: x.layout` of its result.
 * - `op(type, slots, { shape, dtype?, layout? }, attributes?)` records an ONNX node (opset 17) and gives a Value; `ops` several
 *   outputs; `raw(type, slots, dims, attributes?, dtype?)` a Slot of physical dimensions, for the steps in between.
 * - Attributes: whole numbers and lists of them are ints; a float attribute is `{ float: 0.5 }`, a list of them `{ floats: [0, 6] }`.
 * - `ints([…])` is ONNX' int64 list (shapes, axes); `constant(0.5)` a number that belongs to the formula. Both are part of the
 *   graph's structure: a number that differs from step to step must come from an input.
 * - `reshaped(slot, dims)`, `transposed(slot, perm)`: memory in other dimensions or order; `elementwise`, `align`: broadcasting.
 * - To give an input back unchanged, return its Value. Where ONNX has no form for this call return undefined: tfjs-cpu's kernel
 *   then runs on the values, and the call is counted (`fallbacks()`). Kernels nobody wrote fall back too.
 */
export type Kernel = (inputs: Readonly<Record<string, Value>>, attrs: NamedAttrMap) => Value | readonly Value[] | undefined;
export type KernelTable = Readonly<Record<string, Kernel>>;

/** A kernel with the type of its attributes, as tfjs-core exports them (`SumAttrs` …). */
export function kernel<Attrs extends object = object>(
  record: (inputs: Readonly<Record<string, Value>>, attrs: Attrs) => Value | readonly Value[] | undefined,
): Kernel {
  return record as unknown as Kernel;
}

/** Registers the kernels, and tfjs-cpu's for those of tfjs that have no ONNX form; convkit's own ops compose themselves. */
export function register(table: KernelTable, backendName: string): void {
  for (const [kernelName, record] of Object.entries(table)) {
    registerKernel({ kernelName, backendName, kernelFunc: (call) => run(kernelName, record, call as Call) });
  }
  for (const kernelName of withoutForm(table)) {
    const kernelFunc = (call: object) =>
      fallBack(kernelName, (call as Call).backend, (call as Call).inputs, (call as Call).attrs);
    registerKernel({ kernelName, backendName, kernelFunc });
  }
}

/** tfjs-cpu's kernels that are not in the table, by name; convkit's own ops need none. */
export function withoutForm(table: KernelTable): string[] {
  const names = getKernelsForBackend('cpu').map(({ kernelName }) => kernelName);
  return names.filter((name) => !(name in table) && !name.startsWith('Convkit')).sort();
}

interface Call {
  readonly inputs: NamedTensorInfoMap;
  readonly attrs?: NamedAttrMap;
  readonly backend: KernelBackend & OnnxBackend;
}

function run(name: string, record: Kernel, { inputs, attrs, backend }: Call): TensorInfo | TensorInfo[] {
  const values: Record<string, Value> = {};
  for (const [key, tensor] of Object.entries(inputs)) {
    if (!tensor) continue;
    const value = backend.value(tensor);
    if (!value) return fallBack(name, backend, inputs, attrs);
    values[key] = value;
  }
  const result = record(values, attrs ?? {});
  if (!result) return fallBack(name, backend, inputs, attrs);
  const store = (value: Value): TensorInfo => {
    const same = Object.values(inputs).find((tensor) => tensor && backend.value(tensor) === value);
    if (!same) return backend.store(value);
    backend.incRef(same.dataId);
    return { dataId: same.dataId, shape: same.shape, dtype: same.dtype };
  };
  return Array.isArray(result) ? result.map(store) : store(result as Value);
}
