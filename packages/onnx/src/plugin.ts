import '@tensorflow/tfjs-backend-cpu';
import { type BackendPlugin, registerBackend } from '@convkit/core';
import { engine, registerBackend as registerTfjsBackend, setBackend } from '@tensorflow/tfjs-core';
import { OnnxBackend } from './backend.js';
import { deviceObstacle } from './device-check.js';
import { device } from './device.js';
import { kernelsInJavaScript, registerKernels } from './kernels/index.js';
import { openRuntime, sessionOptions } from './runtime.js';

/** The name of the backend, for convkit and for tfjs. */
export const BACKEND = 'onnx';

/** Whole graphs in ONNX Runtime: on the CPU, or with CONVKIT_ONNX_DEVICE=cuda on an NVIDIA GPU. */
export const onnx: BackendPlugin = {
  name: BACKEND,
  description: 'native kernels through ONNX Runtime, from @convkit/onnx',
  rank: 25,

  async probe() {
    try {
      openRuntime();
    } catch (error) {
      const why = (error as Error).message.split('\n')[0];
      return {
        usable: false,
        reason: `onnxruntime-node has no library that runs here (${why})`,
        remedy:
          'It has them for Linux, macOS (arm64) and Windows, on x64 and arm64: reinstall it there, or use the wasm backend.',
      };
    }
    const obstacle = deviceObstacle();
    if (obstacle) return { usable: false, ...obstacle };
    return { usable: true, device: describe(), detail: describe(), inJavaScript: kernelsInJavaScript() };
  },

  async start() {
    openRuntime();
    if (engine().findBackendFactory(BACKEND) === null) {
      registerTfjsBackend(BACKEND, () => new OnnxBackend());
      registerKernels(BACKEND);
    }
    await setBackend(BACKEND);
    return describe();
  },
};

const describe = (): string =>
  device() === 'cpu' ? `ONNX Runtime, ${sessionOptions.intraOpNumThreads} threads` : `ONNX Runtime on ${device()}`;

/** Makes the backend known to `selectBackend`, in `auto` after GPUs and before tfjs' own CPU backends. */
export function registerOnnx(): void {
  registerBackend(onnx);
}
