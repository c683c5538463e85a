import { arithmeticKernels } from './arithmetic.js';
import { compareKernels } from './compare.js';
import { convKernels } from './conv.js';
import { convkitKernels } from './convkit-ops.js';
import { elementwiseKernels } from './elementwise.js';
import { gatherKernels } from './gather.js';
import { imageKernels } from './image.js';
import { register } from './kernel.js';
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

/** Registers every kernel of this package for a tfjs backend. */
export function registerKernels(backendName: string): void {
  register({ ...numeric, ...places, ...layers }, backendName);
}
