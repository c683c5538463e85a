import { BackendError } from '../../errors.js';
import { type Host, host } from '../host.js';
import { missingLibraries } from '../linux-libraries.js';
import type { BackendPlugin } from '../plugin.js';
import { findBinding, startBinding } from './tensorflow.js';

const PACKAGE = '@tensorflow/tfjs-node-gpu';

/** What the TensorFlow 2.9.1 that the package downloads opens on a GPU. A binding built against another version has others. */
const libraries = [
  'libcudart.so.11.0',
  'libcublas.so.11',
  'libcublasLt.so.11',
  'libcufft.so.10',
  'libcusolver.so.11',
  'libcusparse.so.11',
  'libcudnn.so.8',
];

/** TensorFlow's C library on an NVIDIA GPU, and never quietly on the CPU. */
export const cuda: BackendPlugin = {
  name: 'cuda',
  description: `TensorFlow's native library on an NVIDIA GPU, from ${PACKAGE}`,
  rank: 10,

  async probe() {
    const binding = findBinding(PACKAGE);
    if (!binding.found) return { usable: false, reason: binding.reason, remedy: binding.remedy };
    if (binding.host.platform === 'linux') {
      const downloaded = binding.host.fs.existsSync(
        binding.host.path.join(binding.folder, 'deps', 'lib', 'libtensorflow.so.2.9.1'),
      );
      const missing = missingLibraries(['libcuda.so.1', ...(downloaded ? libraries : [])]);
      if (missing.length > 0) {
        return {
          usable: false,
          reason: `the dynamic linker does not find ${missing.join(', ')}`,
          remedy:
            'Install the NVIDIA driver (libcuda), and for the TensorFlow 2.9.1 that the package downloads CUDA 11.2 and cuDNN 8.1; ' +
            'put their folders into LD_LIBRARY_PATH.',
        };
      }
    }
    const device = gpuName(binding.host);
    return { usable: true, ...(device === undefined ? {} : { device }), detail: `${PACKAGE} ${binding.version}` };
  },

  async start() {
    // Read when the library loads: without it TensorFlow takes all of the GPU's memory at once.
    process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
    const backend = await startBinding(PACKAGE);
    if (!backend.isUsingGpuDevice) {
      throw new BackendError(
        'TensorFlow found no GPU that it can use, and would compute on the CPU. Check nvidia-smi and CUDA_VISIBLE_DEVICES; ' +
          'TensorFlow prints the library or driver that it misses when it starts.',
      );
    }
    return (host && gpuName(host)) ?? 'NVIDIA GPU';
  },
};

/** The driver's name for the first GPU. */
function gpuName(host: Host): string | undefined {
  const folder = '/proc/driver/nvidia/gpus';
  if (!host.fs.existsSync(folder)) return undefined;
  for (const gpu of host.fs.readdirSync(folder)) {
    const text = host.fs.readFileSync(host.path.join(folder, gpu, 'information'), 'utf8');
    const model = /^Model:\s*(.+)$/m.exec(text)?.[1];
    if (model !== undefined) return model.trim();
  }
  return undefined;
}
