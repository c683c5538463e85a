/** Registers the kernels that training needs and tfjs' WebAssembly backend lacks or runs slowly. May be called more than once. */
export function registerWasmKernels(): void {}
