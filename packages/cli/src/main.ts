import { CommanderError } from 'commander';
import { UsageError, describeError, exitCode } from './errors.js';
import { createProgram } from './program.js';

/**
 * Runs the command line and gives its exit code: 0, 1 after a failure, 2 for wrong usage, 130 or 143 when a signal stopped a
 * training. A failure is one line on standard error.
 */
export async function main(args: readonly string[]): Promise<number> {
  let code: number = exitCode.ok;
  try {
    await createProgram((value) => (code = value)).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has written its own line by now; help that was asked for is not an error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    process.stderr.write(`error: ${describeError(error)}\n`);
    if (process.env.CONVKIT_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    return error instanceof UsageError ? exitCode.usage : exitCode.failure;
  }
}
