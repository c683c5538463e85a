import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/convkit.mjs', import.meta.url));

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A running `convkit`, from the built package. */
export class Convkit {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;

  constructor(args: readonly string[], cwd?: string, input?: Uint8Array) {
    this.process = spawn(process.execPath, [bin, ...args], { cwd, stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
    this.process.stdin?.end(input);
    const output = { stdout: '', stderr: '' };
    this.process.stdout?.on('data', (chunk) => (output.stdout += String(chunk)));
    this.process.stderr?.on('data', (chunk) => (output.stderr += String(chunk)));
    this.outcome = new Promise((resolve, reject) => {
      this.process.on('error', reject);
      this.process.on('close', (code, signal) => resolve({ code, signal, ...output }));
    });
  }

  /** Waits until the condition holds or the process is over. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition() && this.process.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Runs `convkit` to its end; relative paths are seen from `cwd`, and `input` is its standard input. */
export const convkit = (args: readonly string[], cwd?: string, input?: Uint8Array): Promise<Outcome> =>
  new Convkit(args, cwd, input).outcome;

/** The object that `--json` writes as the last line of standard output. */
export function lastJson({ stdout }: Outcome): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

export const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

export const linesOf = (path: string): number => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0);

export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'convkit-cli-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
