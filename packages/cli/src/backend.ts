import { listBackends, selectBackend, type SelectedBackend } from '@convkit/core';
import { UsageError, closest } from './errors.js';

/** Starts the asked backend. A name that does not exist is wrong usage; one that cannot start here is a failure. */
export async function startBackend(name: string): Promise<SelectedBackend> {
  const names = ['auto', ...listBackends().map((backend) => backend.name)];
  if (!names.includes(name)) {
    const near = closest(name, names, 1);
    throw new UsageError(
      `unknown backend '${name}': expected ${names.join(', ')}${near.length > 0 ? `; did you mean ${near[0]}?` : ''}`,
    );
  }
  return selectBackend(name);
}
