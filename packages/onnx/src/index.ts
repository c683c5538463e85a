export { BACKEND, onnx, registerOnnx } from './plugin.js';
export { OnnxBackend } from './backend.js';
export { fallbacks } from './fallback.js';
export type { Fallback } from './fallback.js';
export type { SessionStatistics } from './session.js';
export { compile } from './compile.js';
export { CompiledModel } from './compiled-model.js';
export type { InputShape } from './compiled-model.js';
