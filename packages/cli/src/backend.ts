import { pathToFileURL } from 'node:url';
import { type ProbedBackend, type SelectedBackend, listBackends, probeBackends, selectBackend } from '@convkit/core';
import { UsageError, closest } from './errors.js';
import { moduleEntry, packageFolder } from './model-packages.js';

/** A package that may be installed beside the command line or in the working directory; undefined where it is not. */
export async function loadInstalled<Exports>(spec: string): Promise<Exports | undefined> {
  const folder = packageFolder(spec);
  return folder === undefined ? undefined : ((await import(pathToFileURL(moduleEntry(folder)).href)) as Exports);
}

/** Makes the backend of @convkit/onnx known where that package is installed. */
async function registerInstalledBackends(): Promise<void> {
  const onnx = await loadInstalled<{ registerOnnx: () => void }>('@convkit/onnx');
  onnx?.registerOnnx();
}

/** Asks every backend that is installed whether it works here, in the order of `auto`. */
export async function probeInstalledBackends(): Promise<ProbedBackend[]> {
  await registerInstalledBackends();
  return probeBackends();
}

/** Starts the asked backend. A name that does not exist is wrong usage; one that cannot start here is a failure. */
export async function startBackend(name: string): Promise<SelectedBackend> {
  await registerInstalledBackends();
  const names = ['auto', ...listBackends().map((backend) => backend.name)];
  if (!names.includes(name)) {
    const near = closest(name, names, 1);
    throw new UsageError(
      `unknown backend '${name}': expected ${names.join(', ')}${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`,
    );
  }
  return selectBackend(name);
}
