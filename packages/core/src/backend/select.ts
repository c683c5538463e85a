import { getBackend, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import { ArgumentError, BackendError } from '../errors.js';
import { type BackendPlugin, type Probe, type StartOptions, listBackends } from './registry.js';
import { quietly } from './quiet.js';

/** The outcome of `selectBackend`. */
export interface SelectedBackend {
  readonly name: string;
  readonly device: string;
  /** One line for people: what runs, and why nothing faster does. */
  readonly reason: string;
}

export interface ProbedBackend {
  readonly name: string;
  readonly description: string;
  readonly probe: Probe;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Makes a backend tfjs' current one: the fastest that works here (`auto`), or the named one and no other.
 * `auto` tries cuda, webgpu (only with a real GPU), node, wasm and cpu in this order. When it throws, tfjs is as it was before.
 *
 * @throws ArgumentError for a name that nothing has registered; BackendError when the backend cannot start, with the reason and the remedy.
 */
export function selectBackend(name = 'auto', options: StartOptions = {}): Promise<SelectedBackend> {
  const turn = last.then(() => (name === 'auto' ? selectAuto(options) : selectNamed(name, options)));
  last = turn.catch(() => undefined);
  return turn;
}

/** Asks every known backend whether it works here, in the order of `auto`; starts none. */
export async function probeBackends(options: StartOptions = {}): Promise<ProbedBackend[]> {
  const results: ProbedBackend[] = [];
  for (const plugin of listBackends()) {
    results.push({ name: plugin.name, description: plugin.description, probe: await quietly(() => plugin.probe(options)) });
  }
  return results;
}

async function selectAuto(options: StartOptions): Promise<SelectedBackend> {
  const passed: string[] = [];
  for (const plugin of listBackends()) {
    const obstacle = await obstacleFor(plugin, options);
    if (obstacle !== undefined) {
      passed.push(`${plugin.name}: ${obstacle}`);
      continue;
    }
    try {
      const device = await start(plugin, options);
      const why = passed.length > 0 ? `: ${passed.join('; ')}` : '';
      return { name: plugin.name, device, reason: `${plugin.name} (${device})${why}` };
    } catch (error) {
      passed.push(`${plugin.name}: ${message(error).replace(/\.$/, '')}`);
    }
  }
  throw new BackendError(`No backend can be used here. ${passed.join('; ')}.`);
}

async function selectNamed(name: string, options: StartOptions): Promise<SelectedBackend> {
  const plugins = listBackends();
  const plugin = plugins.find((candidate) => candidate.name === name);
  if (!plugin) {
    const known = plugins.map((candidate) => candidate.name).join(', ');
    throw new ArgumentError(`Unknown backend '${name}': expected auto, ${known}.`);
  }
  const probe = await quietly(() => plugin.probe(options));
  if (!probe.usable) throw new BackendError(`The ${name} backend cannot be used: ${probe.reason}. ${probe.remedy}`);
  try {
    const device = await start(plugin, options);
    return { name, device, reason: `${name} (${device}): asked for by name` };
  } catch (error) {
    throw new BackendError(`The ${name} backend did not start: ${message(error)}`, { cause: error });
  }
}

/** Why `auto` does not start this backend. */
async function obstacleFor(plugin: BackendPlugin, options: StartOptions): Promise<string | undefined> {
  const hopeless = plugin.hopeless?.();
  if (hopeless !== undefined) return hopeless;
  const probe = await quietly(() => plugin.probe(options));
  return probe.usable ? probe.notInAuto : probe.reason;
}

/** Starts a backend; on failure the previous one, or none, is current again. */
async function start(plugin: BackendPlugin, options: StartOptions): Promise<string> {
  const previous = currentBackend();
  try {
    return await quietly(() => plugin.start(options));
  } catch (error) {
    const current = currentBackend();
    if (previous !== undefined && current !== previous) await setBackend(previous);
    else if (previous === undefined && current !== undefined) removeBackend(current);
    throw error;
  }
}

/** tfjs' current backend; undefined while none was set (its types say otherwise). */
function currentBackend(): string | undefined {
  const name: string | null = getBackend();
  return name ?? undefined;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\s+/g, ' ').trim() : String(error);
}
