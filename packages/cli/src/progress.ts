import cliProgress from 'cli-progress';
import { duration } from './format.js';
import type { Output } from './output.js';

/** How often a line is written where no terminal shows a bar. */
const LINE_INTERVAL_MS = 5000;

/** How far a piece of work has come. */
export interface ProgressState {
  /** `epoch 3/20`, `evaluating` … */
  label: string;
  done: number;
  total: number;
  /** What else to show, `412 img/s` `loss 0.53`. */
  details: readonly string[];
  secondsLeft?: number;
}

/** One bar on a terminal; where standard error is not a terminal, a plain line every few seconds. */
export class Progress {
  readonly #terminal = process.stderr.isTTY === true;
  readonly #output: Output;
  #bar: cliProgress.SingleBar | undefined;
  #lastLine = performance.now();

  constructor(output: Output) {
    this.#output = output;
    output.progress = this;
    process.once('exit', () => this.clear()); // shows the cursor again
  }

  update(state: ProgressState): void {
    if (this.#terminal) this.#draw(state);
    else if (performance.now() - this.#lastLine > LINE_INTERVAL_MS) {
      this.#lastLine = performance.now();
      const share = `${Math.floor((100 * state.done) / Math.max(1, state.total))}%`;
      process.stderr.write(`${[`${state.label} ${state.done}/${state.total} (${share})`, ...this.#details(state)].join('  ')}\n`);
    }
  }

  /** Wipes the bar, so that a line can be printed; the next update draws it again. */
  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  /** The work is over: the bar goes, and nothing prints around it any more. */
  end(): void {
    this.clear();
    if (this.#output.progress === this) this.#output.progress = undefined;
  }

  #draw(state: ProgressState): void {
    const text = { label: state.label, details: this.#details(state).join('  ') };
    if (this.#bar) {
      this.#bar.setTotal(state.total);
      this.#bar.update(state.done, text);
      return;
    }
    const format = '{label} {bar} {percentage}%  {details}';
    this.#bar = new cliProgress.SingleBar(
      { format, clearOnComplete: true, hideCursor: true, barsize: 16, gracefulExit: false, linewrap: false, fps: 8 },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(state.total, state.done, text);
  }

  #details({ details, secondsLeft }: ProgressState): string[] {
    return secondsLeft === undefined ? [...details] : [...details, `${duration(secondsLeft)} left`];
  }
}
