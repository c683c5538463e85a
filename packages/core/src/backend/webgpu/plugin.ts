import { engine, registerBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { BackendError } from '../../errors.js';
import { noGpuDevice } from '../gpu-device.js';
import { host } from '../host.js';
import { missingLibraries } from '../linux-libraries.js';
import type { BackendPlugin } from '../plugin.js';
import { adapterName, findAdapter, findGpu, isSoftware, requestDevice } from './adapter.js';

/** tfjs' WebGPU kernels on the browser's GPU, or in Node on Dawn's. */
export const webgpu: BackendPlugin = {
  name: 'webgpu',
  description: 'the GPU through WebGPU, from @tensorflow/tfjs-backend-webgpu',
  rank: 20,
  hopeless: noGpuDevice,

  async probe() {
    if (host?.platform === 'linux' && missingLibraries(['libvulkan.so.1']).length > 0) {
      return {
        usable: false,
        reason: 'there is no Vulkan (libvulkan.so.1)',
        remedy: "Install the GPU's driver and the Vulkan loader (Debian, Ubuntu: apt install libvulkan1).",
      };
    }
    if (!(await findGpu())) {
      return host
        ? { usable: false, reason: 'the npm package webgpu is not installed', remedy: 'Install it: npm install webgpu' }
        : {
            usable: false,
            reason: 'this browser has no WebGPU, or the page is not served over https or from localhost',
            remedy: 'Use a current Chrome, Edge, Safari or Firefox and a secure address.',
          };
    }
    const adapter = await findAdapter();
    if (!adapter) {
      return {
        usable: false,
        reason: 'WebGPU finds no GPU',
        remedy: host
          ? "Install the GPU's driver (on Linux a Vulkan driver: vulkaninfo --summary lists them)."
          : "Switch on graphics acceleration in the browser's settings; chrome://gpu says what is off.",
      };
    }
    const device = adapterName(adapter);
    const software = isSoftware(adapter) ? { notInAuto: `the adapter is software (${device})` } : {};
    return { usable: true, device, detail: device, ...software };
  },

  async start() {
    const adapter = await findAdapter();
    if (!adapter) throw new BackendError('WebGPU finds no GPU.');
    if (!('webgpu' in engine().registry)) {
      const device = await requestDevice(adapter);
      const backend = new WebGPUBackend(device as never, adapter.info as never);
      // Importing tfjs' package has registered a factory that asks for the device wrongly.
      if ('webgpu' in engine().registryFactory) removeBackend('webgpu');
      registerBackend('webgpu', () => backend, 3);
    }
    await setBackend('webgpu');
    return adapterName(adapter);
  },
};
