import { defineConfig } from 'vitest/config';

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
    server: { deps: { inline: [/tfjs-core\/dist\/(?!tf-core)/, /^@convkit\//] } },
  },
});
