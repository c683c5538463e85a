import { FormatError } from '../errors.js';
import { Mean, type Metric } from '../metrics/metric.js';
import type { Labels } from './batch.js';
import type { EpochRecord } from './logger.js';

/** What a checkpoint and the run that resumes it must agree in, for the run to go on with the same bits. */
export interface RunConfig {
  readonly seed: number;
  /** Samples in an epoch. */
  readonly samples: number;
  readonly batchesPerEpoch: number;
  readonly accumulate: number;
  readonly optimizer: string;
  /** Names in the state dict. */
  readonly parameters: readonly string[];
  /** Those of them that do not train. */
  readonly frozen: readonly string[];
  /** Pattern and factor of each rule. */
  readonly learningRates: readonly string[];
}

/** The epoch with the best validation so far. */
export interface Best {
  /** 1-based. */
  readonly epoch: number;
  /** The validation figure that decides: the highest `top1` or `ap`, or without them the lowest `loss`. */
  readonly metric: string;
  readonly value: number;
}

/** Where a run stands. It goes into checkpoints as JSON. */
export class Progress<L extends Labels = Int32Array> {
  readonly config: RunConfig;
  /** Whole epochs done. */
  epoch = 0;
  /** Batches done of the epoch at hand. */
  batches = 0;
  /** Optimizer steps done. */
  step = 0;
  /** Seconds spent in steps of the epoch at hand. */
  seconds = 0;
  loss = new Mean();
  best: Best | undefined;
  history: EpochRecord[] = [];
  #metrics: readonly Metric<L>[];

  constructor(config: RunConfig, metrics: readonly Metric<L>[]) {
    this.config = config;
    this.#metrics = metrics.map((metric) => metric.fresh());
  }

  get metrics(): readonly Metric<L>[] {
    return this.#metrics;
  }

  /** The running figures of the epoch at hand. */
  figures(): Record<string, number> {
    return Object.assign({}, ...this.#metrics.map((metric) => metric.result())) as Record<string, number>;
  }

  nextEpoch(): void {
    this.epoch++;
    this.batches = 0;
    this.seconds = 0;
    this.loss = new Mean();
    this.#metrics = this.#metrics.map((metric) => metric.fresh());
  }

  /** Notes a validation; true if it is the best so far. NaN never is. */
  isBest(validation: Readonly<Record<string, number>>): boolean {
    const metric = ['top1', 'ap'].find((name) => name in validation) ?? 'loss';
    const sign = metric === 'loss' ? -1 : 1;
    const value = validation[metric];
    if (Number.isNaN(value) || (this.best && !(sign * value > sign * this.best.value))) return false;
    this.best = { epoch: this.epoch + 1, metric, value };
    return true;
  }

  /** A name that sorts in the order of the run: `epoch-0003`, or `epoch-0003-batch-000012` within the fourth epoch. */
  get name(): string {
    const epoch = `epoch-${String(this.epoch).padStart(4, '0')}`;
    return this.batches === 0 ? epoch : `${epoch}-batch-${String(this.batches).padStart(6, '0')}`;
  }

  toJSON(): Record<string, unknown> {
    const { config, epoch, batches, step, seconds, best, history } = this;
    const metrics = this.#metrics.map((metric) => metric.state());
    return { version: 1, config, epoch, batches, step, seconds, loss: this.loss.state(), metrics, best, history: [...history] };
  }

  /** Takes over a checkpoint's position. Throws FormatError if it is of another run, or not of a run at all. */
  restore(saved: Readonly<Record<string, unknown>>): void {
    const { epoch, batches, step, seconds, loss, metrics, best, history } = saved;
    if (saved.version !== 1 || ![epoch, batches, step, seconds].every((n) => typeof n === 'number' && n >= 0)) {
      throw new FormatError(
        `The checkpoint's progress is not one that this version wrote (version ${JSON.stringify(saved.version)}, expected 1).`,
      );
    }
    agree(saved.config as RunConfig, this.config);
    if (!isNumbers(loss) || !Array.isArray(metrics) || !metrics.every(isNumbers) || metrics.length !== this.#metrics.length) {
      throw new FormatError(
        `The checkpoint has ${Array.isArray(metrics) ? metrics.length : 'no'} metrics; the run has ${this.#metrics.length}: resume with the same ones.`,
      );
    }
    [this.epoch, this.batches, this.step, this.seconds] = [epoch, batches, step, seconds] as number[];
    this.loss = new Mean(loss);
    this.#metrics.forEach((metric, i) => metric.load(metrics[i]));
    this.best = best as Best | undefined;
    this.history = (history ?? []) as EpochRecord[];
  }
}

const isNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every((n) => typeof n === 'number');

function agree(saved: RunConfig, now: RunConfig): void {
  const differences: string[] = [];
  for (const key of ['seed', 'samples', 'batchesPerEpoch', 'accumulate', 'optimizer'] as const) {
    if (saved?.[key] !== now[key]) differences.push(`${key} (checkpoint ${String(saved?.[key])}, this run ${now[key]})`);
  }
  for (const key of ['parameters', 'frozen', 'learningRates'] as const) {
    const [before, after] = [saved?.[key] ?? [], now[key]];
    const other = [...after.filter((name) => !before.includes(name)), ...before.filter((name) => !after.includes(name))];
    if (other.length > 0)
      differences.push(`${key} (${other.slice(0, 3).join(', ')}${other.length > 3 ? ` and ${other.length - 3} more` : ''})`);
  }
  if (differences.length > 0) {
    throw new FormatError(
      `The checkpoint is of another run; it differs in ${differences.join(', ')}. Resume with its settings, or start a new run elsewhere.`,
    );
  }
}
