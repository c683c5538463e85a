import { type Tensor, add, clone, div, mul, sqrt, square, sub } from '@tensorflow/tfjs-core';

export type Settings = Readonly<Record<string, number | boolean>>;

/** What an update rule sees of one parameter. */
export interface Step {
  readonly value: Tensor;
  readonly gradient: Tensor;
  /** Zeros in the parameter's first step. */
  readonly slots: Readonly<Record<string, Tensor>>;
  /** 1 in the parameter's first step. */
  readonly steps: number;
  readonly rate: number;
  /** In the place of the rule's own. */
  readonly momentum?: number;
  /** A scalar on the device, made once a step for all parameters. */
  readonly constant: (value: number) => Tensor;
}

/** The next weight and slots. */
export interface Update {
  readonly value: Tensor;
  readonly slots: Record<string, Tensor>;
}

/** A pure function from weight, gradient and slots to the next weight and slots; host constants are float64. */
export interface Rule {
  /** The slots of `slots` after a step, under PyTorch's names. */
  readonly slots: readonly string[];
  readonly countsSteps: boolean;
  update(step: Step): Update;
}

interface Decay {
  weightDecay: number;
  /** Leaves out what has one axis: biases, and the weights of norms. */
  decayKernelsOnly?: boolean;
}

const decayOf = ({ value }: Step, s: Decay): number => (s.decayKernelsOnly === true && value.rank < 2 ? 0 : s.weightDecay);

/** ∇ + weightDecay · θ */
function penalized(step: Step, s: Decay): Tensor {
  const decay = decayOf(step, s);
  return decay === 0 ? step.gradient : add(step.gradient, mul(step.value, step.constant(decay)));
}

/** decay · old + weight · next */
function blend({ constant }: Step, old: Tensor, decay: number, next: Tensor, weight: number): Tensor {
  return add(mul(old, constant(decay)), weight === 1 ? next : mul(next, constant(weight)));
}

export function sgdRule(s: Decay & { momentum: number; nesterov: boolean; dampening: number }): Rule {
  return {
    slots: s.momentum === 0 ? [] : ['momentum_buffer'],
    countsSteps: false,
    update(step): Update {
      const { value, slots, rate, constant, momentum = s.momentum } = step;
      const g = penalized(step, s);
      if (s.momentum === 0) return { value: sub(value, mul(g, constant(rate))), slots: {} };
      const undamped = step.steps === 1 && s.dampening !== 0;
      const buffer = undamped ? clone(g) : blend(step, slots.momentum_buffer, momentum, g, 1 - s.dampening);
      const direction = s.nesterov ? add(g, mul(buffer, constant(momentum))) : buffer;
      return { value: sub(value, mul(direction, constant(rate))), slots: { momentum_buffer: buffer } };
    },
  };
}

interface AdamSettings extends Decay {
  beta1: number;
  beta2: number;
  eps: number;
}

/** rate · m̂ / (√v̂ + eps), written as one factor · m / (√v + eps · √(1 − β₂ᵗ)) to save a pass over the weights. */
function adamUpdate(step: Step, value: Tensor, g: Tensor, s: AdamSettings): Update {
  const { slots, steps, rate, constant } = step;
  const m = blend(step, slots.exp_avg, s.beta1, g, 1 - s.beta1);
  const v = blend(step, slots.exp_avg_sq, s.beta2, square(g), 1 - s.beta2);
  const root = Math.sqrt(1 - s.beta2 ** steps);
  const factor = (rate * root) / (1 - s.beta1 ** steps);
  const direction = div(m, add(sqrt(v), constant(s.eps * root)));
  return { value: sub(value, mul(direction, constant(factor))), slots: { exp_avg: m, exp_avg_sq: v } };
}

const adamSlots = { slots: ['exp_avg', 'exp_avg_sq'], countsSteps: true } as const;

export function adamRule(s: AdamSettings): Rule {
  return { ...adamSlots, update: (step) => adamUpdate(step, step.value, penalized(step, s), s) };
}

export function adamwRule(s: AdamSettings): Rule {
  return {
    ...adamSlots,
    update(step) {
      const decay = decayOf(step, s);
      const shrunk = decay === 0 ? step.value : mul(step.value, step.constant(1 - step.rate * decay));
      return adamUpdate(step, shrunk, step.gradient, s);
    },
  };
}

interface RmspropSettings extends Decay {
  alpha: number;
  eps: number;
  momentum: number;
  centered: boolean;
}

export function rmspropRule(s: RmspropSettings): Rule {
  return {
    slots: ['square_avg', ...(s.centered ? ['grad_avg'] : []), ...(s.momentum > 0 ? ['momentum_buffer'] : [])],
    countsSteps: false,
    update(step) {
      const { value, slots, rate, constant } = step;
      const g = penalized(step, s);
      const next: Record<string, Tensor> = { square_avg: blend(step, slots.square_avg, s.alpha, square(g), 1 - s.alpha) };
      let variance = next.square_avg;
      if (s.centered) {
        next.grad_avg = blend(step, slots.grad_avg, s.alpha, g, 1 - s.alpha);
        variance = sub(variance, square(next.grad_avg));
      }
      let direction = div(g, add(sqrt(variance), constant(s.eps)));
      if (s.momentum > 0) direction = next.momentum_buffer = blend(step, slots.momentum_buffer, s.momentum, direction, 1);
      return { value: sub(value, mul(direction, constant(rate))), slots: next };
    },
  };
}
