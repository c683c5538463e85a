import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import type * as Ort from 'onnxruntime-node';
import type { InferenceSession, Tensor as OrtTensor, TensorConstructor } from 'onnxruntime-node';
import { placement } from './device.js';

/**
 * ONNX Runtime through its own binding. The public `InferenceSession.run` waits a turn of the event loop and then calls this; tfjs'
 * `dataSync`, and kernels that fall back to tfjs-cpu, need the values at once. The version of onnxruntime-node is therefore exact.
 */
interface NativeSession {
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: InferenceSession.SessionOptions): void;
  run(feeds: Record<string, OrtTensor>, fetches: Record<string, null>, options: object): Record<string, OrtTensor>;
  endProfiling(): void;
  dispose(): void;
}

interface Native {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  initOrt(): void;
}

export interface Runtime {
  readonly Tensor: TensorConstructor;
  /** Loads a model; throws where ONNX Runtime refuses it. */
  load(model: Uint8Array, options?: InferenceSession.SessionOptions): NativeSession;
}

export type { NativeSession, OrtTensor };

/** All cores, and every optimisation that pays in whole graphs. Training steps and files take them as they are. */
export const sessionOptions: InferenceSession.SessionOptions = {
  intraOpNumThreads: availableParallelism(),
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // A plan of one block of memory for a run is made beside what the first run took: half as much again, and no faster.
  enableMemPattern: false,
  // Threads that wait for work keep their core for this long, and not at all between runs: data loaders have use for it.
  extra: { session: { force_spinning_stop: '1', intra_op: { spin_duration_us: '200' } } },
  ...profile(),
};

/** With CONVKIT_ONNX_PROFILE=prefix in the environment each session writes the times of its nodes to a file when it is disposed. */
function profile(): InferenceSession.SessionOptions {
  const profileFilePrefix = process.env['CONVKIT_ONNX_PROFILE'];
  return profileFilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix };
}

let runtime: Runtime | undefined;

/** Loads the native library at the first call; throws where there is none for this machine. */
export function openRuntime(): Runtime {
  if (runtime) return runtime;
  const require = createRequire(import.meta.url);
  const { Tensor, env } = require('onnxruntime-node') as typeof Ort;
  const native = require('onnxruntime-node/dist/binding.js') as Native;
  env.logLevel = 'error';
  native.initOrt();
  runtime = {
    Tensor,
    load(model, options = {}) {
      const session = new native.binding.InferenceSession();
      session.loadModel(model.buffer, model.byteOffset, model.byteLength, { ...sessionOptions, ...placement(), ...options });
      return session;
    },
  };
  return runtime;
}
