import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger, StepRecord } from '../../train/logger.js';

/**
 * Writes every step as one line of JSON. A resumed run first removes the steps after the one that it goes on from, and a
 * last line that a crash cut short.
 */
export function jsonlLogger(path: string): Logger {
  let file: number | undefined;
  return {
    start(run) {
      mkdirSync(dirname(path), { recursive: true });
      const kept = run.resumed.step > 0 && existsSync(path) ? lengthUpTo(readFileSync(path), run.resumed.step) : 0;
      file = openSync(path, 'a');
      ftruncateSync(file, kept);
    },
    step(record) {
      if (file !== undefined) writeSync(file, `${JSON.stringify(record)}\n`);
    },
    end() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** The bytes of the leading lines that are whole and belong to steps up to `lastStep`. */
function lengthUpTo(bytes: Buffer, lastStep: number): number {
  let kept = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, kept)) {
    if (!isStepUpTo(bytes.toString('utf8', kept, end), lastStep)) break;
    kept = end + 1;
  }
  return kept;
}

function isStepUpTo(line: string, lastStep: number): boolean {
  try {
    return (JSON.parse(line) as StepRecord).step <= lastStep;
  } catch {
    return false;
  }
}
