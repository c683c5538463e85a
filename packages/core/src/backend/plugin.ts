/** Whether a backend can be used on this machine, found out without starting it. */
export type Probe =
  | {
      readonly usable: true;
      /** The device it would run on, when that is known before the start. */
      readonly device?: string;
      readonly detail: string;
      /** Why `auto` passes over it all the same, such as a GPU that is only simulated. */
      readonly notInAuto?: string;
      /** tfjs' kernels that the backend has in JavaScript only: right, and slow. */
      readonly inJavaScript?: readonly string[];
    }
  | { readonly usable: false; readonly reason: string; readonly remedy: string };

export interface StartOptions {
  /** Browsers: the folder (URL ending in `/`) that serves the `.wasm` files of `@tensorflow/tfjs-backend-wasm`. */
  readonly wasmPath?: string;
}

/** A way to compute: a tfjs backend, how to tell whether it works here, and how to start it. */
export interface BackendPlugin {
  /** `cuda`, `webgpu`, `node`, `wasm`, `cpu`, or the name of a package of its own. */
  readonly name: string;
  readonly description: string;
  /** Place in the walk of `auto`: lower comes first. cuda 10, webgpu 20, node 30, wasm 40, cpu 50. */
  readonly rank: number;
  /** A cheap look at the machine before `auto` loads anything: why it need not try. */
  hopeless?(): string | undefined;
  /** Never throws because the backend is missing: that is its answer. */
  probe(options: StartOptions): Promise<Probe>;
  /** Makes it tfjs' current backend and describes the device. Throws `BackendError` when that fails. */
  start(options: StartOptions): Promise<string>;
}

/** Kept in the global scope: the ES module and the CommonJS build of this package share one registry, as they share tfjs' engine. */
const shared = globalThis as { [key: symbol]: Map<string, BackendPlugin> | undefined };
export const addedBackends = (shared[Symbol.for('convkit.backends')] ??= new Map<string, BackendPlugin>());
