export { testStages } from './stages.js';
export { describeModel, goldenBackend } from './describe-model.js';
export { testOverfits } from './overfit.js';
export { evaluateFilled } from './run.js';
export type { Output } from './run.js';
export { fillInput, fillModel, fillValues, noise } from './fill.js';
export type { FillRule } from './fill.js';
export { expectTensor, readGolden, relative, sharedDir, sharedGoldens } from './golden.js';
export type { Golden, OutputCase, TensorRecord, TrainCase } from './golden.js';
