import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** The one build of all packages: an entry for each `@convkit/source` target in the package's `exports`. */
interface Manifest {
  type: string;
  exports: Record<string, { '@convkit/source'?: string; require?: unknown }>;
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const targets = Object.values(manifest.exports);
const entry = targets.flatMap((target) => target['@convkit/source'] ?? []);

export default defineConfig({
  entry,
  format: targets.some((target) => target.require) ? ['esm', 'cjs'] : ['esm'],
  dts: { compilerOptions: { customConditions: [] } },
  target: 'es2022',
  sourcemap: true,
  clean: true,
  shims: true,
  splitting: true, // one copy of the modules for all entries, in CommonJS too
  // tfjs-core publishes its gradients only as bundler-style ES modules, which Node cannot load: they are bundled.
  noExternal: [/^@tensorflow\/tfjs-core\/dist\//],
});
