import type { Progress } from './progress.js';

/**
 * Where a command writes. For people, everything goes to standard output and only the moving bar to standard error. With
 * `--json`, standard output has one JSON object as its last line, and standard error the progress.
 */
export class Output {
  readonly json: boolean;
  /** The bar that must be wiped before a line is printed. */
  progress: Progress | undefined;

  constructor(json: boolean) {
    this.json = json;
  }

  /** A line of the result; absent with `--json`. */
  print(text = ''): void {
    if (!this.json) this.#write(process.stdout, text);
  }

  /** A line that tells how the work goes. */
  note(text: string): void {
    this.#write(this.json ? process.stderr : process.stdout, text);
  }

  /** Something the user should know although the work goes on. */
  warn(text: string): void {
    this.#write(process.stderr, `warning: ${text}`);
  }

  /** The object of `--json`; written once, at the end. */
  result(value: object): void {
    if (this.json) this.#write(process.stdout, JSON.stringify(value));
  }

  #write(stream: NodeJS.WriteStream, text: string): void {
    this.progress?.clear();
    stream.write(`${text}\n`);
  }
}
