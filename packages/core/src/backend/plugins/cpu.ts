import { scalar, setBackend } from '@tensorflow/tfjs-core';
import type { BackendPlugin } from '../plugin.js';

/** tfjs' plain JavaScript kernels: everywhere, complete, slow. */
export const cpu: BackendPlugin = {
  name: 'cpu',
  description: 'plain JavaScript, one thread',
  rank: 50,
  async probe() {
    return { usable: true, device: 'JavaScript, 1 thread', detail: 'always there, and the slowest' };
  },
  async start() {
    await import('@tensorflow/tfjs-backend-cpu');
    await setBackend('cpu');
    // The first tensor makes tfjs advertise tfjs-node on the console; made here, where its messages are off.
    scalar(0).dispose();
    return 'JavaScript, 1 thread';
  },
};
