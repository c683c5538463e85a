import { type BuildOptions, build } from 'esbuild';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** A directory that is removed when the test ends. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'convkit-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Bundles a TypeScript program into `directory`, since a child process of Node 20 runs plain JavaScript only. */
export async function bundle(entry: URL, directory: string): Promise<string> {
  const outfile = join(directory, 'child.mjs');
  const options: BuildOptions = { platform: 'node', format: 'esm', target: 'node20', conditions: ['@convkit/source'] };
  // What is CommonJS among the dependencies calls `require`.
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" };
  await build({ entryPoints: [fileURLToPath(entry)], bundle: true, outfile, logLevel: 'error', banner, ...options });
  return outfile;
}

export interface Child {
  readonly process: ChildProcess;
  /** The lines of standard output so far. */
  readonly lines: string[];
  readonly exited: Promise<{ code: number | null; stderr: string }>;
}

export function start(program: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let stderr = '';
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (output + text).split('\n');
    output = parts.pop() ?? '';
    lines.push(...parts);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stderr }));
  });
  return { process: child, lines, exited };
}
