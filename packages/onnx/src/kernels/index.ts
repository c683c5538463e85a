import { convKernels } from './conv.js';
import { elementwiseKernels } from './elementwise.js';
import { register } from './kernel.js';

/** Registers every kernel of this package for a tfjs backend. */
export function registerKernels(backendName: string): void {
  register({ ...elementwiseKernels, ...convKernels }, backendName);
}
