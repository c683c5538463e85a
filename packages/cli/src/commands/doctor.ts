import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { probeInstalledBackends } from '../backend.js';
import { installedModels } from '../model-packages.js';
import type { CommonOptions } from '../options.js';
import { Output } from '../output.js';
import { version } from '../version.js';

export async function runDoctor(options: CommonOptions): Promise<void> {
  const output = new Output(options.json);
  const backends = (await probeInstalledBackends()).map(({ name, description, probe }) => {
    if (!probe.usable) return { name, description, usable: false, reason: probe.reason, remedy: probe.remedy };
    const { detail, device, notInAuto, inJavaScript } = probe;
    return { name, description, usable: true, reason: detail, device, notInAuto, inJavaScript };
  });
  const auto = backends.find(({ usable, notInAuto }) => usable && notInAuto === undefined)?.name;
  const machine = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    threads: availableParallelism(),
    memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
  };
  const versions = packageVersions();
  const models = await installedModels();
  const modelPackages = [...new Set(models.map(({ info }) => info.package))];

  output.print(
    `Node ${machine.node} on ${machine.platform}, ${machine.cpu}, ${machine.threads} threads, ${machine.memoryGiB} GiB`,
  );
  for (const [name, version] of Object.entries(versions)) output.print(`${name} ${version}`);
  output.print(`architecture packages: ${modelPackages.join(', ') || 'none (npm install @convkit/resnet)'}`);
  output.print('\nBackends, in the order in which auto tries them:');
  for (const backend of backends) {
    const chosen = backend.name === auto ? '  ← auto' : '';
    output.print(`\n${backend.usable ? '✓' : '✗'} ${backend.name}: ${backend.description}${chosen}`);
    output.print(`  ${backend.reason}`);
    if (backend.notInAuto !== undefined) output.print(`  not chosen by auto: ${backend.notInAuto}`);
    if (backend.inJavaScript) {
      output.print(
        `  right but slow, in JavaScript, are ${backend.inJavaScript.length} kernels of tfjs: ${backend.inJavaScript.join(', ')}`,
      );
    }
    if (backend.remedy !== undefined) output.print(`  what to do: ${backend.remedy}`);
  }
  output.result({ backends, auto, machine, versions, modelPackages });
}

function packageVersions(): Record<string, string> {
  const versions: Record<string, string> = { '@convkit/cli': version };
  for (const name of ['@convkit/core', '@tensorflow/tfjs-core', 'sharp']) {
    const found = versionOf(name);
    if (found) versions[name] = found;
  }
  return versions;
}

/** The version of a dependency, from its manifest: an `exports` map may hide that file from `require`. */
function versionOf(name: string): string | undefined {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const folder of folders) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')) as { version: string }).version;
    } catch {
      // Not in this folder: try the next.
    }
  }
  return undefined;
}
