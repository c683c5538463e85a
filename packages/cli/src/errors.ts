/** The command line itself is wrong: exit code 2. Everything else that fails has exit code 1. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const exitCode = { ok: 0, failure: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** The one line that follows `error: `. What convkit throws on purpose explains itself; anything else says where to look. */
export function describeError(error: unknown): string {
  const message = oneLine(error instanceof Error ? error.message : String(error));
  return isExpected(error) ? message : `${message || 'unexpected failure'} (set CONVKIT_DEBUG=1 to see where it comes from)`;
}

/** Failures of the operating system whose message says what and where: full disk, no permission, no such file … */
const isSystemError = (error: Error): boolean => 'syscall' in error && 'code' in error;

/** By the names of the classes, not `instanceof`: a model package of another folder has its own copy of them. */
function isConvkitError(error: Error): boolean {
  for (let at: object | null = error; at; at = Object.getPrototypeOf(at) as object | null) {
    if (at.constructor.name === 'ConvkitError') return true;
  }
  return false;
}

function isExpected(error: unknown): boolean {
  return error instanceof Error && (error instanceof UsageError || isConvkitError(error) || isSystemError(error));
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim();

/** The names nearest to what was typed, by the number of edits; none if nothing is near. */
export function closest(typed: string, names: readonly string[], most = 3): string[] {
  const limit = Math.max(2, Math.floor(typed.length / 3));
  return names
    .map((name) => ({ name, edits: name.startsWith(typed) ? 1 : distance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits || a.name.localeCompare(b.name))
    .slice(0, most)
    .map(({ name }) => name);
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
