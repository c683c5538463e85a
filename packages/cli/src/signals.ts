import { exitCode } from './errors.js';

/** Turns the first SIGINT or SIGTERM into an abort after the step at hand; a second one exits at once. */
export class StopSignals {
  readonly #controller = new AbortController();
  readonly #onFirst: () => void;
  #received: 'SIGINT' | 'SIGTERM' | undefined;

  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
    process.on('SIGINT', this.#handle).on('SIGTERM', this.#handle);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code that says which signal came; undefined if none did. */
  get exitCode(): number | undefined {
    return this.#received && codes[this.#received];
  }

  /** From now on signals end the process as usual. */
  release(): void {
    process.off('SIGINT', this.#handle).off('SIGTERM', this.#handle);
  }

  readonly #handle = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGINT' && signal !== 'SIGTERM') return;
    if (this.#received) process.exit(codes[signal]);
    this.#received = signal;
    this.#onFirst();
    this.#controller.abort();
  };
}

const codes = { SIGINT: exitCode.interrupted, SIGTERM: exitCode.terminated } as const;
