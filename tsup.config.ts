import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** The one build of all packages: an entry for each `@convkit/source` target in the package's `exports` and `imports`. */
interface Manifest {
  type: string;
  exports: Record<string, { '@convkit/source'?: string; require?: unknown }>;
  /** Modules that differ between Node and browsers. */
  imports?: Record<string, { '@convkit/source': { node: string; default: string } }>;
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const targets = Object.values(manifest.exports);
const variants = Object.values(manifest.imports ?? {}).flatMap((target) => Object.values(target['@convkit/source']));
const entry = [...targets.flatMap((target) => target['@convkit/source'] ?? []), ...variants];

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
  esbuildOptions(options, { format }) {
    // The shims are for `import.meta` in CommonJS; those for ES modules import Node's, which browsers lack.
    if (format === 'esm') options.inject = options.inject?.filter((file) => !file.includes('esm_shims'));
  },
  external: [/^#/], // looked up when the package is used, in its `imports`
  noExternal: [/^@tensorflow\/tfjs-core\/dist\//],
});
