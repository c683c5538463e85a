import { noGpuDevice } from '../gpu-device.js';
import { host } from '../host.js';
import { type BackendPlugin, type Probe, addedBackends } from '../plugin.js';

/** The subpath with the real plugin. Put together at run time: bundles for browsers get it only by importing it themselves. */
const SUBPATH = ['@convkit', 'core', 'webgpu'].join('/');

/** Stands for WebGPU until `@convkit/core/webgpu` is imported, which puts the real plugin in its place; in Node it imports that itself. */
export const webgpu: BackendPlugin = {
  name: 'webgpu',
  description: 'the GPU through WebGPU, from @tensorflow/tfjs-backend-webgpu',
  rank: 20,
  hopeless: noGpuDevice,

  async probe(options) {
    const missing = await load();
    if (missing) return missing;
    return real().probe(options);
  },

  async start(options) {
    return real().start(options);
  },
};

async function load(): Promise<Extract<Probe, { usable: false }> | undefined> {
  if (!host) {
    return {
      usable: false,
      reason: "this page has not loaded WebGPU's kernels",
      remedy: "Install @tensorflow/tfjs-backend-webgpu and write import '@convkit/core/webgpu' in the page's program.",
    };
  }
  for (const name of ['@tensorflow/tfjs-backend-webgpu', 'webgpu']) {
    if (host.resolve(`${name}/package.json`) === undefined) {
      return {
        usable: false,
        reason: `${name} is not installed`,
        remedy: 'Install both: npm install @tensorflow/tfjs-backend-webgpu@4.22.0 webgpu',
      };
    }
  }
  await import(/* @vite-ignore */ /* webpackIgnore: true */ SUBPATH);
  return undefined;
}

function real(): BackendPlugin {
  return addedBackends.get('webgpu')!;
}
