import type { BackendPlugin } from '../plugin.js';
import { findBinding, startBinding } from './tensorflow.js';

const PACKAGE = '@tensorflow/tfjs-node';

/** TensorFlow's C library on the CPU. */
export const node: BackendPlugin = {
  name: 'node',
  description: `TensorFlow's native library on the CPU, from ${PACKAGE}`,
  rank: 30,
  async probe() {
    const binding = findBinding(PACKAGE);
    if (!binding.found) return { usable: false, reason: binding.reason, remedy: binding.remedy };
    return { usable: true, device: 'native CPU', detail: `${PACKAGE} ${binding.version}` };
  },
  async start() {
    await startBinding(PACKAGE);
    return `native CPU, ${PACKAGE}`;
  },
};
