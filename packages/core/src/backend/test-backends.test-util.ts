import { selectBackend } from './select.js';

/** The backends that tests run on: cpu and wasm, or those of the environment variable CONVKIT_BACKENDS (`webgpu`, `cpu,wasm` …). */
export const testBackends: readonly string[] = (process.env['CONVKIT_BACKENDS'] ?? 'cpu,wasm')
  .split(',')
  .filter((name) => name !== '');

/** Makes a backend the current one; throws when it cannot start. */
export async function useBackend(name: string): Promise<void> {
  await selectBackend(name);
}
