import type { Host } from './host.js';

/** Those of the libraries of which no folder of Linux' dynamic linker has a file; the version after `.so` may be another. */
export function missingLibraries(host: Host, libraries: readonly string[]): string[] {
  const present = new Set<string>();
  for (const folder of linkerFolders(host)) {
    if (!host.fs.existsSync(folder)) continue;
    for (const file of host.fs.readdirSync(folder)) present.add(family(file));
  }
  return libraries.filter((library) => !present.has(family(library)));
}

const family = (file: string) => file.split('.so')[0]!;

function linkerFolders(host: Host): string[] {
  const folders = (process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '');
  folders.push('/usr/lib', '/usr/lib64', '/lib64', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib/wsl/lib');
  folders.push('/usr/local/lib', '/usr/local/cuda/lib64');
  for (const file of configFiles(host)) {
    for (const line of host.fs.readFileSync(file, 'utf8').split('\n')) if (line.startsWith('/')) folders.push(line.trim());
  }
  return folders;
}

function configFiles(host: Host): string[] {
  const folder = '/etc/ld.so.conf.d';
  if (!host.fs.existsSync(folder)) return [];
  return host.fs.readdirSync(folder).map((file) => host.path.join(folder, file));
}
