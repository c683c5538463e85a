import { type BackendPlugin, addedBackends } from './plugin.js';
import { cpu } from './plugins/cpu.js';
import { cuda } from './plugins/cuda.js';
import { node } from './plugins/node.js';
import { wasm } from './plugins/wasm.js';
import { webgpu } from './plugins/webgpu.js';

export type { BackendPlugin, Probe, StartOptions } from './plugin.js';

const builtin: readonly BackendPlugin[] = [cuda, webgpu, node, wasm, cpu];

/** Adds a backend, or replaces the one of the same name. */
export function registerBackend(plugin: BackendPlugin): void {
  addedBackends.set(plugin.name, plugin);
}

/** All known backends in the order in which `auto` tries them. */
export function listBackends(): BackendPlugin[] {
  const plugins = new Map(builtin.map((plugin) => [plugin.name, plugin]));
  for (const [name, plugin] of addedBackends) plugins.set(name, plugin);
  return [...plugins.values()].sort((a, b) => a.rank - b.rank);
}
