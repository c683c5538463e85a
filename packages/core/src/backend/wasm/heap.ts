import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { type KernelFunc, type TensorInfo, getKernel, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';
import { type SimdKernels, simdKernels } from './simd.js';

/** What a kernel of the wasm backend is called with. */
export interface Call<Input extends string, Attrs> {
  readonly inputs: Readonly<Record<Input, TensorInfo>>;
  readonly attrs: Attrs;
  readonly backend: BackendWasm;
}

export type Kernel<Input extends string, Attrs> = (call: Call<Input, Attrs>) => TensorInfo | TensorInfo[];

/** Puts a kernel into the wasm backend, in the place of tfjs' where there is one. */
export function register<Input extends string, Attrs>(kernelName: string, kernel: Kernel<Input, Attrs>): void {
  if (getKernel(kernelName, 'wasm')) unregisterKernel(kernelName, 'wasm');
  registerKernel({ kernelName, backendName: 'wasm', kernelFunc: kernel as unknown as KernelFunc });
}

/** tfjs' own kernel of this name. Take it before it is replaced. */
export function original(kernelName: string): (call: Call<string, object>) => TensorInfo {
  const { kernelFunc } = getKernel(kernelName, 'wasm');
  return kernelFunc as unknown as (call: Call<string, object>) => TensorInfo;
}

const instances = new WeakMap<WebAssembly.Memory, SimdKernels>();

/** convkit's own loops on the memory of the backend. */
export function kernelsOf(backend: BackendWasm): SimdKernels {
  const memory = memoryOf(backend)!;
  let kernels = instances.get(memory);
  if (!kernels) instances.set(memory, (kernels = simdKernels(memory)!));
  return kernels;
}

/** Can `kernelsOf` work: is the memory within reach, and has the engine SIMD? */
export function supportsKernels(backend: BackendWasm): boolean {
  const memory = memoryOf(backend);
  return memory !== undefined && simdKernels(memory) !== undefined;
}

function memoryOf(backend: BackendWasm): WebAssembly.Memory | undefined {
  const { asm, wasmMemory } = backend.wasm as unknown as { asm?: Record<string, unknown>; wasmMemory?: unknown };
  return [wasmMemory, ...Object.values(asm ?? {})].find((value) => value instanceof WebAssembly.Memory);
}

/** The address of a tensor's values. They stay there until the tensor is disposed. */
export const addressOf = (backend: BackendWasm, { dataId }: TensorInfo): number => backend.getMemoryOffset(dataId);

/** A tensor's values in place. Any allocation may make the view useless. */
export function valuesOf(backend: BackendWasm, { dataId, shape }: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap({ dataId, shape, dtype: 'float32' }) as Float32Array;
}

/** Lends `count` floats of scratch memory to `work`. */
export function withScratch<T>(backend: BackendWasm, count: number, work: (scratch: TensorInfo, address: number) => T): T {
  const scratch = backend.makeOutput([count], 'float32');
  try {
    return work(scratch, addressOf(backend, scratch));
  } finally {
    backend.disposeData(scratch.dataId);
  }
}
