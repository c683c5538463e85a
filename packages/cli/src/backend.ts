import { pathToFileURL } from 'node:url';
import { type ProbedBackend, type SelectedBackend, listBackends, probeBackends, selectBackend } from '@convkit/core';
import { UsageError, closest } from './errors.js';
import { moduleEntry, packageFolder } from './model-packages.js';

/** A package that may be installed beside the command line or in the working directory; undefined where it is not. */
export async function loadInstalled<Exports>(spec: string): Promise<Exports | undefined> {
  const folder = packageFolder(spec);
  return folder === undefined ? undefined : ((await import(pathToFileURL(moduleEntry(folder)).href)) as Exports);
}

/** What `fallbacks` of @convkit/onnx counts: calls of kernels that ran in JavaScript, and their time. */
export type Fallbacks = ReadonlyMap<string, { readonly calls: number; readonly ms: number }>;

/** Makes the backend of @convkit/onnx known where that package is installed. */
async function registerInstalledBackends(): Promise<(() => Fallbacks) | undefined> {
  const onnx = await loadInstalled<{ registerOnnx: () => void; fallbacks: () => Fallbacks }>('@convkit/onnx');
  onnx?.registerOnnx();
  return onnx?.fallbacks;
}

/** The line that tells at a command's end what ran in JavaScript, the slowest first; undefined where nothing did. */
export function fallbackNote(fallbacks: Fallbacks): string | undefined {
  if (fallbacks.size === 0) return undefined;
  const slowest = [...fallbacks].sort(([, a], [, b]) => b.ms - a.ms);
  const parts = slowest.map(
    ([name, { calls, ms }]) => `${name} ${calls} ${calls === 1 ? 'time' : 'times'} (${Math.ceil(ms)} ms)`,
  );
  return `without ONNX form, and so run in JavaScript: ${parts.join(', ')}`;
}

/** Asks every backend that is installed whether it works here, in the order of `auto`. */
export async function probeInstalledBackends(): Promise<ProbedBackend[]> {
  await registerInstalledBackends();
  return probeBackends();
}

/** Starts the asked backend. A name that does not exist is wrong usage; one that cannot start here is a failure. */
export async function startBackend(name: string): Promise<SelectedBackend> {
  const fallbacks = await registerInstalledBackends();
  const names = ['auto', ...listBackends().map((backend) => backend.name)];
  if (!names.includes(name)) {
    const near = closest(name, names, 1);
    throw new UsageError(
      `unknown backend '${name}': expected ${names.join(', ')}${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`,
    );
  }
  process.once('exit', () => {
    const note = fallbacks && fallbackNote(fallbacks());
    if (note !== undefined) process.stderr.write(`warning: ${note}\n`);
  });
  return selectBackend(name);
}
