import { arithmeticKernels } from './arithmetic.js';
import { compareKernels } from './compare.js';
import { convKernels } from './conv.js';
import { convkitKernels } from './convkit-ops.js';
import { elementwiseKernels } from './elementwise.js';
import { gatherKernels } from './gather.js';
import { imageKernels } from './image.js';
import { register, withoutForm } from './kernel.js';
import { matmulKernels } from './matmul.js';
import { normKernels } from './norm.js';
import { poolKernels } from './pool.js';
import { reduceKernels } from './reduce.js';
import { shapeKernels } from './shape.js';
import { sliceKernels } from './slice.js';
import { spaceKernels } from './space.js';

const numeric = { ...elementwiseKernels, ...arithmeticKernels, ...compareKernels, ...reduceKernels, ...matmulKernels };
const places = { ...shapeKernels, ...sliceKernels, ...spaceKernels, ...gatherKernels, ...imageKernels };
const layers = { ...convKernels, ...poolKernels, ...normKernels, ...convkitKernels };

const kernels = { ...numeric, ...places, ...layers };

/** Registers every kernel of this package for a tfjs backend. */
export function registerKernels(backendName: string): void {
  register(kernels, backendName);
}

/** tfjs' kernels that have no ONNX form, whatever their inputs: they run in JavaScript. */
export function kernelsInJavaScript(): string[] {
  return withoutForm(kernels);
}
