import { ArgumentError } from '../errors.js';

/** Where a run stands when a step asks for its learning rate. */
export interface Position {
  /** Optimizer steps already done: 0 in the first step. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
}

/** The learning rate of a step. It depends on the position only, so that nothing has to be stored to resume a run. */
export type Schedule = (position: Position) => number;

export interface WarmupOptions {
  /** Epochs over which the rate rises linearly: peak / n, 2 · peak / n … peak in the n-th step (Goyal et al. 2017). */
  warmupEpochs?: number;
  /** The same, given in steps. */
  warmupSteps?: number;
}

export interface ConstantOptions extends WarmupOptions {
  peak: number;
}

/** `peak` in every step after the warmup. */
export function constant(options: ConstantOptions): Schedule {
  check(options);
  return warmed(options, () => options.peak);
}

export interface StepDecayOptions extends WarmupOptions {
  peak: number;
  everyEpochs: number;
  /** Default 0.1. */
  factor?: number;
}

/** peak · factor^⌊epoch / everyEpochs⌋, as `torch.optim.lr_scheduler.StepLR` stepped once an epoch; epochs count from the start of the run. */
export function stepDecay(options: StepDecayOptions): Schedule {
  check(options);
  const { peak, everyEpochs, factor = 0.1 } = options;
  if (!(everyEpochs > 0)) throw new ArgumentError(`stepDecay: everyEpochs must be above 0, found ${everyEpochs}.`);
  return warmed(options, ({ step, stepsPerEpoch }) => peak * factor ** Math.floor(epochOf(step, stepsPerEpoch) / everyEpochs));
}

export interface MultistepOptions extends WarmupOptions {
  peak: number;
  /** Epochs, counted from 0, at whose start the rate is multiplied by `factor`. */
  epochs: readonly number[];
  /** Default 0.1. */
  factor?: number;
}

/** peak · factor^(number of milestones reached), as `torch.optim.lr_scheduler.MultiStepLR` stepped once an epoch. */
export function multistep(options: MultistepOptions): Schedule {
  check(options);
  const { peak, epochs, factor = 0.1 } = options;
  return warmed(options, ({ step, stepsPerEpoch }) => {
    return peak * factor ** epochs.filter((epoch) => epoch <= epochOf(step, stepsPerEpoch)).length;
  });
}

export interface CosineOptions extends WarmupOptions {
  peak: number;
  /** The rate towards which it falls; the step after the last would have it. Default 0. */
  floor?: number;
}

/** floor + (peak − floor) · (1 + cos(π · t)) / 2, t from 0 in the first step after the warmup to 1 after the last (Loshchilov and Hutter 2017). */
export function cosine(options: CosineOptions): Schedule {
  check(options);
  const { peak, floor = 0 } = options;
  return warmed(options, ({ step, totalSteps }, warmup) => {
    return floor + (peak - floor) * 0.5 * (1 + Math.cos(Math.PI * clamp((step - warmup) / (totalSteps - warmup))));
  });
}

export interface OneCycleOptions extends WarmupOptions {
  peak: number;
  /** Part of the run in which the rate rises. Default 0.3. */
  rise?: number;
  /** The run starts at peak / this. Default 25. */
  startDivisor?: number;
  /** The run ends at its starting rate / this. Default 10,000. */
  endDivisor?: number;
}

/**
 * Up from peak / startDivisor to peak, then down to peak / (startDivisor · endDivisor), each along half a cosine, as
 * `torch.optim.lr_scheduler.OneCycleLR` with its defaults (Smith and Topin 2018). Its rise is a warmup already; one given
 * besides comes before it.
 */
export function oneCycle(options: OneCycleOptions): Schedule {
  check(options);
  const { peak, rise = 0.3, startDivisor = 25, endDivisor = 1e4 } = options;
  if (!(rise >= 0 && rise <= 1)) throw new ArgumentError(`oneCycle: rise must be in [0, 1], found ${rise}.`);
  const start = peak / startDivisor;
  return warmed(options, ({ step, totalSteps }, warmup) => {
    const done = step - warmup;
    const top = rise * (totalSteps - warmup) - 1;
    if (done <= top) return anneal(start, peak, top === 0 ? 1 : done / top);
    return anneal(peak, start / endDivisor, (done - top) / (totalSteps - warmup - 1 - top));
  });
}

/** Half a cosine from `from` (t = 0) to `to` (t = 1). */
function anneal(from: number, to: number, t: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * clamp(t)));
}

function warmed(options: WarmupOptions & { peak: number }, after: (position: Position, warmup: number) => number): Schedule {
  return (position) => {
    const warmup = options.warmupSteps ?? Math.round((options.warmupEpochs ?? 0) * position.stepsPerEpoch);
    if (position.step < warmup) return (options.peak * (position.step + 1)) / warmup;
    return after(position, warmup);
  };
}

function check({ peak, warmupEpochs, warmupSteps }: WarmupOptions & { peak: number }): void {
  if (!(Number.isFinite(peak) && peak >= 0))
    throw new ArgumentError(`A schedule's peak must be a number from 0 up, found ${peak}.`);
  if (warmupEpochs !== undefined && warmupSteps !== undefined) {
    throw new ArgumentError('A schedule takes warmupEpochs or warmupSteps, not both.');
  }
  const warmup = warmupEpochs ?? warmupSteps ?? 0;
  if (!(Number.isFinite(warmup) && warmup >= 0)) throw new ArgumentError(`A warmup must be a number from 0 up, found ${warmup}.`);
}

const epochOf = (step: number, stepsPerEpoch: number): number => Math.floor(step / stepsPerEpoch);

/** Into [0, 1]; 1 for the 0 / 0 of a span without steps. */
const clamp = (t: number): number => (t >= 0 && t <= 1 ? t : t < 0 ? 0 : 1);
