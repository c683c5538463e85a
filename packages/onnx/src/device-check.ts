import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Device, device } from './device.js';
import { Slot, raw } from './graph.js';
import { Sessions } from './session.js';

/** Why the device cannot be used, and what to do about it. */
export interface Obstacle {
  readonly reason: string;
  readonly remedy: string;
}

/** What stands in the way of the device that CONVKIT_ONNX_DEVICE asks for; undefined where nothing does. */
export function deviceObstacle(): Obstacle | undefined {
  let name: Device;
  try {
    name = device();
  } catch (error) {
    return { reason: (error as Error).message.replace(/\.$/, ''), remedy: 'Without the variable the CPU computes.' };
  }
  return name === 'cpu' ? undefined : (missingLibrary() ?? failure());
}

const needs =
  'CUDA needs an NVIDIA GPU with its driver (see nvidia-smi), and the libraries of CUDA 12 and cuDNN 9 in LD_LIBRARY_PATH.';

/** CUDA's library is too large for npm: it has to be put beside the ones that onnxruntime-node brings. */
function missingLibrary(): Obstacle | undefined {
  const root = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node')), '..');
  const folder = join(root, 'bin', 'napi-v6', process.platform, process.arch);
  const file = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';
  if (existsSync(join(folder, file))) return undefined;
  return {
    reason: `CONVKIT_ONNX_DEVICE is cuda, and ${file} is not in ${folder}`,
    remedy: `On Linux x64 this fetches it: node ${join(root, 'script', 'install.js')} --onnxruntime-node-install=cuda12. ${needs}`,
  };
}

/** Computes one number there. */
function failure(): Obstacle | undefined {
  const sessions = new Sessions();
  try {
    sessions.run([raw('Neg', [new Slot('float32', [1], { data: Float32Array.of(1) })], [1])]);
    return undefined;
  } catch (error) {
    const why = (error as Error).message.trim().split('\n')[0];
    return { reason: `CONVKIT_ONNX_DEVICE is cuda, and ONNX Runtime does not start on it (${why})`, remedy: needs };
  } finally {
    sessions.dispose();
  }
}
