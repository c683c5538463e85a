import { convKernels } from './conv.js';
import { convkitKernels } from './convkit-ops.js';
import { elementwiseKernels } from './elementwise.js';
import { register } from './kernel.js';
import { normKernels } from './norm.js';
import { poolKernels } from './pool.js';

/** Registers every kernel of this package for a tfjs backend. */
export function registerKernels(backendName: string): void {
  register({ ...elementwiseKernels, ...convKernels, ...poolKernels, ...normKernels, ...convkitKernels }, backendName);
}
