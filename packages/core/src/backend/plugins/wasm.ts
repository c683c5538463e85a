import { engine, env, findBackendFactory, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { BackendError } from '../../errors.js';
import type { BackendPlugin } from '../plugin.js';
import { registerWasmKernels } from '../wasm/index.js';

/** tfjs' WebAssembly kernels, with the gradients that they lack (`../wasm`). */
export const wasm: BackendPlugin = {
  name: 'wasm',
  description: 'WebAssembly with SIMD, from @tensorflow/tfjs-backend-wasm',
  rank: 40,

  async probe() {
    if (typeof WebAssembly === 'undefined') {
      return {
        usable: false,
        reason: 'this JavaScript engine has no WebAssembly',
        remedy: 'Use the cpu backend, or an engine with WebAssembly switched on.',
      };
    }
    await import('@tensorflow/tfjs-backend-wasm');
    const device = await describe();
    return { usable: true, device, detail: `WebAssembly, ${device}` };
  },

  async start({ wasmPath }) {
    const tfjsWasm = await import('@tensorflow/tfjs-backend-wasm');
    if (!('wasm' in engine().registry)) {
      if (wasmPath !== undefined) tfjsWasm.setWasmPaths(wasmPath);
      // tfjs would log a failure and forget it; making the instance first keeps the error.
      const factory = findBackendFactory('wasm');
      const backend = await Promise.resolve(factory()).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String((error as { message?: unknown } | null)?.message ?? error);
        throw new BackendError(
          `its .wasm file could not be loaded (${why}). In a page, serve the .wasm files of @tensorflow/tfjs-backend-wasm ` +
            `and pass their folder: selectBackend('wasm', { wasmPath: '/wasm/' }).`,
        );
      });
      removeBackend('wasm');
      registerBackend('wasm', () => backend, 2);
    }
    await setBackend('wasm');
    registerWasmKernels();
    return describe(tfjsWasm.getThreadsCount());
  },
};

async function describe(threads = 1): Promise<string> {
  const simd = await env().getAsync('WASM_HAS_SIMD_SUPPORT');
  return `${simd ? 'SIMD' : 'no SIMD'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
