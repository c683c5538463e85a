import { BackendError } from '@convkit/core';
import { backend } from '@tensorflow/tfjs-core';
import { OnnxBackend } from './backend.js';

/** The backend at work. Throws BackendError when it is another than this package's. */
export function currentBackend(): OnnxBackend {
  const current = backend();
  if (current instanceof OnnxBackend) return current;
  throw new BackendError("This runs on the onnx backend only: `registerOnnx(); await selectBackend('onnx')` before.");
}
