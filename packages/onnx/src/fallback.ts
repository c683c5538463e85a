import {
  type KernelBackend,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
  engine,
  getKernel,
} from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend.js';

/** Calls of a kernel that had no ONNX form, and the time they took, the copies included. */
export interface Fallback {
  readonly calls: number;
  readonly ms: number;
}

const counts = new Map<string, Fallback>();

/** Kernels that ran in JavaScript (tfjs-cpu) for want of an ONNX form, by name, since the program started. */
export function fallbacks(): ReadonlyMap<string, Fallback> {
  return counts;
}

/** A kernel this slow is worth a warning, once. */
const SLOW_MS = 20;

/** Computes what is recorded, runs tfjs-cpu's kernel on the values, and takes its results over. */
export function fallBack(
  name: string,
  backend: OnnxBackend,
  inputs: NamedTensorInfoMap,
  attrs: NamedAttrMap | undefined,
): TensorInfo | TensorInfo[] {
  const start = performance.now();
  const cpu = engine().findBackend('cpu');
  const lent: TensorInfo[] = [];
  const lend = (tensor: TensorInfo): TensorInfo => {
    const { shape, dtype } = tensor;
    const copy = { dataId: cpu.write(backend.readSync(tensor.dataId), shape, dtype), shape, dtype };
    lent.push(copy);
    return copy;
  };
  try {
    const lentInputs = Array.isArray(inputs)
      ? (inputs as TensorInfo[]).map(lend)
      : Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, tensor && lend(tensor)]));
    const run = getKernel(name, 'cpu').kernelFunc as (call: {
      inputs: NamedTensorInfoMap;
      backend: KernelBackend;
      attrs?: NamedAttrMap;
    }) => TensorInfo | TensorInfo[];
    const results = run({ inputs: lentInputs as NamedTensorInfoMap, backend: cpu, attrs });
    const take = ({ dataId, shape, dtype }: TensorInfo): TensorInfo => {
      const values = cpu.readSync(dataId);
      cpu.disposeData(dataId);
      return { dataId: backend.write(values, shape, dtype), shape, dtype };
    };
    return Array.isArray(results) ? results.map(take) : take(results);
  } finally {
    for (const { dataId } of lent) cpu.disposeData(dataId);
    note(name, performance.now() - start);
  }
}

function note(name: string, ms: number): void {
  const { calls, ms: before } = counts.get(name) ?? { calls: 0, ms: 0 };
  counts.set(name, { calls: calls + 1, ms: before + ms });
  if (before < SLOW_MS && before + ms >= SLOW_MS) {
    process.emitWarning(`onnx: ${name} has no ONNX form here and runs in JavaScript; see fallbacks().`, 'ConvkitWarning');
  }
}
