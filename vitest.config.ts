import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Backends that core does not know by itself are registered when the environment asks for them. */
const backends = [process.env['CONVKIT_BACKEND'], process.env['CONVKIT_BACKENDS']].join();
const onnx = fileURLToPath(new URL('packages/onnx/src/registered.test-util.ts', import.meta.url));

/** The one test configuration; each package runs `vitest run` with it from its own folder. */
export default defineConfig({
  root: process.cwd(),
  resolve: { conditions: ['@convkit/source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['@convkit/source', 'node', 'import', 'default'], externalConditions: ['node'] } },
  test: {
    include: ['src/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    setupFiles: backends.includes('onnx') ? [onnx] : [],
    server: { deps: { inline: [/tfjs-core\/dist\/(?!tf-core)/, /^@convkit\//] } },
  },
});
