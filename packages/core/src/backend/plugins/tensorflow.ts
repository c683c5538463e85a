import { type KernelBackend, engine, setBackend } from '@tensorflow/tfjs-core';
import { BackendError } from '../../errors.js';
import { type Host, host } from '../host.js';

/** The packages that bind TensorFlow's C library; each registers itself with tfjs as `tensorflow`, so a process can load one. */
export type BindingPackage = '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu';

interface TensorflowBackend extends KernelBackend {
  readonly isGPUPackage: boolean;
  readonly isUsingGpuDevice: boolean;
}

export type Binding =
  | { readonly found: true; readonly host: Host; readonly folder: string; readonly version: string }
  | { readonly found: false; readonly reason: string; readonly remedy: string };

/** Is the package installed, and did its install script leave the native part? Loads nothing. */
export function findBinding(name: BindingPackage): Binding {
  if (!host) return { found: false, reason: `${name} runs in Node only`, remedy: 'In a page use webgpu or wasm.' };
  const manifest = host.resolve(`${name}/package.json`);
  if (manifest === undefined) {
    return { found: false, reason: `${name} is not installed`, remedy: `Install it: npm install ${name}@4.22.0` };
  }
  const folder = host.path.dirname(host.fs.realpathSync(manifest));
  const { version } = JSON.parse(host.fs.readFileSync(manifest, 'utf8')) as { version: string };
  if (!hasNativePart(host, folder)) {
    return {
      found: false,
      reason: `${name} is installed, but its install script has not run or failed: tfjs_binding.node is missing`,
      remedy:
        `Run npm rebuild ${name} --foreground-scripts and read its messages; ` +
        `with pnpm add '${name}' to allowBuilds (pnpm 10: onlyBuiltDependencies) in pnpm-workspace.yaml and run pnpm rebuild ${name}.`,
    };
  }
  const dll = misplacedLibrary(host, folder);
  if (dll !== undefined) {
    return {
      found: false,
      reason: `tensorflow.dll is not beside ${name}'s tfjs_binding.node`,
      remedy: `Copy ${dll} into the folder of tfjs_binding.node (${host.path.join(folder, 'lib', 'napi-v8')}).`,
    };
  }
  return { found: true, host, folder, version };
}

/** Loads the package and makes it tfjs' backend. */
export async function startBinding(name: BindingPackage): Promise<TensorflowBackend> {
  const binding = findBinding(name);
  if (!binding.found) throw new BackendError(`${binding.reason}. ${binding.remedy}`);
  const wantsGpu = name === '@tensorflow/tfjs-node-gpu';
  if (!(TFJS_NAME in engine().registryFactory)) {
    restoreUtil();
    try {
      binding.host.require(binding.folder);
    } catch (error) {
      throw new BackendError(`${name} could not be loaded: ${(error as Error).message}`, { cause: error });
    }
    if (!(TFJS_NAME in engine().registryFactory)) {
      throw new BackendError(
        `${name} registered itself with another copy of @tensorflow/tfjs-core. Install one version of it: npm ls @tensorflow/tfjs-core shows the copies.`,
      );
    }
  }
  await setBackend(TFJS_NAME);
  const backend = engine().backend as TensorflowBackend;
  if (backend.isGPUPackage !== wantsGpu) {
    throw new BackendError(
      `this process has already loaded ${wantsGpu ? '@tensorflow/tfjs-node' : '@tensorflow/tfjs-node-gpu'}, and can load only one of the two. Start a new process.`,
    );
  }
  return backend;
}

const TFJS_NAME = 'tensorflow';

function hasNativePart(host: Host, folder: string): boolean {
  const lib = host.path.join(folder, 'lib');
  if (!host.fs.existsSync(lib)) return false;
  return host.fs.readdirSync(lib).some((entry) => host.fs.existsSync(host.path.join(lib, entry, 'tfjs_binding.node')));
}

/** On Windows the library must lie beside the binding; the install script sometimes leaves it in deps/lib. */
function misplacedLibrary(host: Host, folder: string): string | undefined {
  if (host.platform !== 'win32') return undefined;
  const lib = host.path.join(folder, 'lib');
  const beside = host.fs.readdirSync(lib).some((entry) => host.fs.existsSync(host.path.join(lib, entry, 'tensorflow.dll')));
  const unpacked = host.path.join(folder, 'deps', 'lib', 'tensorflow.dll');
  return !beside && host.fs.existsSync(unpacked) ? unpacked : undefined;
}

/** tfjs-node 4.22.0 calls two functions that Node 23 removed from `util`. */
function restoreUtil(): void {
  const util = process.getBuiltinModule('node:util') as unknown as Record<string, unknown>;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
