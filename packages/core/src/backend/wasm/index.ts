import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { engine } from '@tensorflow/tfjs-core';
import { registerBatchNorm } from './batch-norm.js';
import { registerConvGradients } from './conv-gradients.js';
import { registerElementwise } from './elementwise.js';
import { registerPointwise } from './pointwise.js';
import { registerSlices } from './slices.js';
import { supportsKernels } from './heap.js';
import { registerLinearAlgebra } from './linear-algebra.js';
import { registerMaxPoolGradient } from './max-pool-gradient.js';

let registered = false;

/**
 * Registers the kernels that training needs and that tfjs' WebAssembly backend lacks, computes wrongly or runs slowly.
 * Call it once the backend has started; further calls do nothing. Without SIMD, ops stay composed of tfjs' kernels.
 */
export function registerWasmKernels(): void {
  const backend = engine().findBackend('wasm') as BackendWasm | null;
  if (registered || !backend) return;
  registered = true;
  registerMaxPoolGradient();
  if (!supportsKernels(backend)) return;
  registerBatchNorm();
  registerConvGradients();
  registerPointwise();
  registerElementwise();
  registerSlices();
  registerLinearAlgebra();
}
