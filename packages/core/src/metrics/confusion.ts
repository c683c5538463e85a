import { ArgumentError } from '../errors.js';
import type { Metric, MetricBatch } from './metric.js';

/** The figures of one class, in 0 … 1; 0 where nothing was there to divide by. */
export interface ClassScores {
  readonly name: string;
  /** Of the images predicted as this class, the share that is of it. */
  readonly precision: number;
  /** Of the images of this class, the share predicted as it. */
  readonly recall: number;
  /** The harmonic mean of both. */
  readonly f1: number;
  /** Images of this class. */
  readonly images: number;
}

export interface ConfusionReport {
  readonly classes: readonly string[];
  /** counts[label][prediction] */
  readonly counts: readonly (readonly number[])[];
  /** Images of each label without a prediction, because a logit was NaN. */
  readonly unpredicted: readonly number[];
  readonly perClass: readonly ClassScores[];
}

/** Counts labels against predictions; its figure in a run is `macroF1`, the mean F1 of the classes that have images. */
export function confusionMatrix(classes: readonly string[]): ConfusionMatrix {
  return new ConfusionMatrix(classes);
}

export class ConfusionMatrix implements Metric {
  readonly classes: readonly string[];
  /** A row for each label: counts by prediction, and last the images without one. */
  readonly #counts: number[];

  constructor(classes: readonly string[]) {
    this.classes = classes;
    this.#counts = new Array<number>(classes.length * (classes.length + 1)).fill(0);
  }

  fresh(): ConfusionMatrix {
    return new ConfusionMatrix(this.classes);
  }

  /** Throws ArgumentError if the logits are of another number of classes. */
  update({ logits, classes, labels }: MetricBatch): void {
    if (classes !== this.classes.length) {
      throw new ArgumentError(`The confusion matrix has ${this.classes.length} classes, but the model gives ${classes} logits.`);
    }
    labels.forEach((label, row) => {
      const prediction = predict(logits.subarray(row * classes, (row + 1) * classes));
      this.#counts[label * (classes + 1) + prediction]++;
    });
  }

  result(): Record<string, number> {
    const present = this.toJSON().perClass.filter(({ images }) => images > 0);
    return { macroF1: present.reduce((sum, { f1 }) => sum + f1, 0) / present.length };
  }

  toJSON(): ConfusionReport {
    const n = this.classes.length;
    const rows = this.classes.map((_, label) => this.#counts.slice(label * (n + 1), (label + 1) * (n + 1)));
    const perClass = this.classes.map((name, c): ClassScores => {
      const images = rows[c].reduce((a, b) => a + b, 0);
      const predicted = rows.reduce((sum, row) => sum + row[c], 0);
      const right = rows[c][c];
      const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b);
      return {
        name,
        precision: ratio(right, predicted),
        recall: ratio(right, images),
        f1: ratio(2 * right, predicted + images),
        images,
      };
    });
    return {
      classes: this.classes,
      counts: rows.map((row) => row.slice(0, n)),
      unpredicted: rows.map((row) => row[n]),
      perClass,
    };
  }

  state(): number[] {
    return [...this.#counts];
  }

  load(state: readonly number[]): void {
    state.forEach((count, i) => (this.#counts[i] = count));
  }
}

/** The class with the highest logit, the first of equals; `row.length` if one is NaN. */
function predict(row: Float32Array): number {
  let best = 0;
  for (let c = 0; c < row.length; c++) {
    if (Number.isNaN(row[c])) return row.length;
    if (row[c] > row[best]) best = c;
  }
  return best;
}
