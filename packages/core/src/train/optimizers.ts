import { type Tensor, keep, scalar, tensor, tidy, zerosLike } from '@tensorflow/tfjs-core';
import { ArgumentError, ConvkitError, FormatError } from '../errors.js';
import type { Parameter } from '../module.js';
import { type StateDict, floatTensor, intScalar } from '../weights/host-tensor.js';
import { layouts } from '../weights/layout.js';
import { type Snapshot, keptClone } from './buffers.js';
import { type Rule, type Settings, type Step, adamRule, adamwRule, rmspropRule, sgdRule } from './update-rules.js';

/** Changes named parameters by their gradients, and remembers what its rule needs between steps. */
export interface Optimizer {
  readonly kind: string;
  /**
   * One step. Parameters without a gradient stay as they are. The gradients stay the caller's. A rate for all, or one by
   * name; `momentum` takes the place of the setting, in a warmup.
   */
  step(gradients: ReadonlyMap<string, Tensor>, rate: number | ((name: string) => number), momentum?: number): void;
  /** Remembers the slots, to take a step back. */
  snapshot(): Snapshot;
  /** The slots by `<parameter>.<slot>` in PyTorch's layout and names, and `<parameter>.step` where the rule counts steps. */
  state(): Promise<StateDict>;
  /** Takes back what `state()` gave; all or nothing. Throws FormatError for names and shapes that do not fit. */
  load(state: StateDict): void;
  dispose(): void;
}

/** An optimizer with its settings, not yet bound to a model. */
export interface OptimizerFactory {
  readonly kind: string;
  readonly settings: Settings;
  bind(parameters: Iterable<readonly [name: string, parameter: Parameter]>): Optimizer;
}

export interface SgdOptions {
  momentum?: number;
  nesterov?: boolean;
  dampening?: number;
  /** L2 penalty, added to the gradient. */
  weightDecay?: number;
  /** Spares biases and the weights of norms, which have one axis, the penalty. Default false. */
  decayKernelsOnly?: boolean;
}

/**
 * b ← momentum · b + (1 − dampening) · g, θ ← θ − rate · b (nesterov: θ − rate · (g + momentum · b)), g = ∇ + weightDecay · θ;
 * the first b is g. As `torch.optim.SGD` (Sutskever et al. 2013, in the form whose rate multiplies the whole buffer).
 */
export function sgd(options: SgdOptions = {}): OptimizerFactory {
  const settings = { momentum: 0, nesterov: false, dampening: 0, weightDecay: 0, decayKernelsOnly: false, ...options };
  check('sgd', settings, { momentum: [0, Infinity], weightDecay: [0, Infinity] });
  if (settings.nesterov && (settings.momentum === 0 || settings.dampening !== 0)) {
    throw new ArgumentError('sgd: nesterov needs a momentum above 0 and a dampening of 0.');
  }
  return factory('sgd', settings, sgdRule(settings));
}

export interface AdamOptions {
  beta1?: number;
  beta2?: number;
  eps?: number;
  /** `adam`: L2 penalty in the gradient, default 0. `adamw`: decoupled shrinking of the weight, default 0.01. */
  weightDecay?: number;
  /** Spares biases and the weights of norms, which have one axis, the decay. Default false. */
  decayKernelsOnly?: boolean;
}

/**
 * m ← β₁ · m + (1 − β₁) · g, v ← β₂ · v + (1 − β₂) · g², θ ← θ − rate · m̂ / (√v̂ + eps), where m̂ = m / (1 − β₁ᵗ) and
 * v̂ = v / (1 − β₂ᵗ), g = ∇ + weightDecay · θ. As `torch.optim.Adam` (Kingma and Ba 2015).
 */
export function adam(options: AdamOptions = {}): OptimizerFactory {
  const settings = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, decayKernelsOnly: false, ...options };
  check('adam', settings, adamRanges);
  return factory('adam', settings, adamRule(settings));
}

/** Adam with θ ← θ · (1 − rate · weightDecay) before each step instead of an L2 penalty (Loshchilov and Hutter 2019). */
export function adamw(options: AdamOptions = {}): OptimizerFactory {
  const settings = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01, decayKernelsOnly: false, ...options };
  check('adamw', settings, adamRanges);
  return factory('adamw', settings, adamwRule(settings));
}

export interface RmspropOptions {
  alpha?: number;
  eps?: number;
  momentum?: number;
  /** Divides by the deviation of the gradient instead of its root mean square (Graves 2013). */
  centered?: boolean;
  /** L2 penalty, added to the gradient. */
  weightDecay?: number;
}

/**
 * v ← α · v + (1 − α) · g², b ← momentum · b + g / (√v + eps), θ ← θ − rate · b. As `torch.optim.RMSprop`: eps outside the
 * root; TensorFlow's, which the EfficientNet and MobileNet recipes used, has it inside.
 */
export function rmsprop(options: RmspropOptions = {}): OptimizerFactory {
  const settings = { alpha: 0.99, eps: 1e-8, momentum: 0, centered: false, weightDecay: 0, ...options };
  check('rmsprop', settings, { alpha: [0, Infinity], eps: [0, Infinity], momentum: [0, Infinity], weightDecay: [0, Infinity] });
  return factory('rmsprop', settings, rmspropRule(settings));
}

type Ranges = Readonly<Record<string, readonly [low: number, below: number]>>;
const adamRanges: Ranges = { beta1: [0, 1], beta2: [0, 1], eps: [0, Infinity], weightDecay: [0, Infinity] };

function check(kind: string, settings: Settings, ranges: Ranges): void {
  for (const [name, [low, below]] of Object.entries(ranges)) {
    const value = settings[name];
    if (!(typeof value === 'number' && value >= low && value < below)) {
      throw new ArgumentError(`${kind}: ${name} must be in [${low}, ${below}), found ${value}.`);
    }
  }
}

function factory(kind: string, settings: Settings, rule: Rule): OptimizerFactory {
  return { kind, settings, bind: (parameters) => new BoundOptimizer(kind, rule, new Map(parameters)) };
}

interface Slots {
  steps: number;
  tensors: Record<string, Tensor>;
}

function copyOf({ steps, tensors }: Slots): Slots {
  return { steps, tensors: Object.fromEntries(Object.entries(tensors).map(([slot, value]) => [slot, keptClone(value)])) };
}

/** Runs an update rule over parameters, and owns the slots: float32 tensors in the parameter's own layout. */
class BoundOptimizer implements Optimizer {
  readonly kind: string;
  readonly #rule: Rule;
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #slots = new Map<string, Slots>();

  constructor(kind: string, rule: Rule, parameters: ReadonlyMap<string, Parameter>) {
    this.kind = kind;
    this.#rule = rule;
    this.#parameters = parameters;
  }

  step(gradients: ReadonlyMap<string, Tensor>, rate: number | ((name: string) => number), momentum?: number): void {
    const scalars = new Map<number, Tensor>();
    // Kept: each parameter is updated in a tidy of its own, and they share these.
    const constant = (value: number): Tensor => {
      const known = scalars.get(value) ?? keep(scalar(value, 'float32'));
      scalars.set(value, known);
      return known;
    };
    try {
      for (const [name, gradient] of gradients) {
        const parameter = this.#parameters.get(name);
        if (!parameter)
          throw new ConvkitError(`${this.kind}: there is a gradient for ${name}, which is not a parameter of the model.`);
        const own = typeof rate === 'number' ? rate : rate(name);
        tidy(() => this.#update(name, parameter, gradient, { rate: own, momentum, constant }));
      }
    } finally {
      for (const known of scalars.values()) known.dispose();
    }
  }

  #update(name: string, parameter: Parameter, gradient: Tensor, common: Pick<Step, 'rate' | 'momentum' | 'constant'>): void {
    const old = this.#slots.get(name);
    const steps = (old?.steps ?? 0) + 1;
    const next = this.#rule.update({
      value: parameter.value,
      gradient,
      slots: old?.tensors ?? this.#zeros(parameter),
      steps,
      ...common,
    });
    this.#replace(name, { steps, tensors: next.slots });
    parameter.value.assign(next.value);
  }

  #zeros({ value }: Parameter): Record<string, Tensor> {
    return Object.fromEntries(this.#rule.slots.map((slot) => [slot, zerosLike(value)]));
  }

  #replace(name: string, next: Slots): void {
    for (const slot of Object.values(next.tensors)) keep(slot);
    for (const slot of Object.values(this.#slots.get(name)?.tensors ?? {})) slot.dispose();
    this.#slots.set(name, next);
  }

  snapshot(): Snapshot {
    const copies = new Map([...this.#slots].map(([name, slots]) => [name, copyOf(slots)]));
    return {
      restore: () => {
        this.dispose();
        for (const [name, slots] of copies) this.#slots.set(name, copyOf(slots));
      },
      dispose: () => copies.forEach(({ tensors }) => Object.values(tensors).forEach((copy) => copy.dispose())),
    };
  }

  async state(): Promise<StateDict> {
    const state: StateDict = new Map();
    for (const [name, parameter] of this.#parameters) {
      const slots = this.#slots.get(name);
      if (!slots) continue;
      if (this.#rule.countsSteps) state.set(`${name}.step`, intScalar(slots.steps));
      for (const [slot, value] of Object.entries(slots.tensors)) {
        const values = (await value.data()) as Float32Array;
        state.set(`${name}.${slot}`, floatTensor(layouts[parameter.layout].toTorch(values, parameter.shape), parameter.shape));
      }
    }
    return state;
  }

  load(state: StateDict): void {
    const unknown = new Set(state.keys());
    const found = new Map<string, { parameter: Parameter; steps: number; values: [slot: string, values: Float32Array][] }>();
    for (const [name, parameter] of this.#parameters) {
      const values: [string, Float32Array][] = [];
      for (const slot of this.#rule.slots) {
        const key = `${name}.${slot}`;
        const value = state.get(key);
        if (!value) continue;
        if (!(value.data instanceof Float32Array) || value.data.length !== parameter.size) {
          throw new FormatError(
            `Optimizer state ${key}: expected float32 [${parameter.shape.join()}], found ${value.dtype} [${value.shape.join()}].`,
          );
        }
        values.push([slot, value.data]);
        unknown.delete(key);
      }
      if (values.length === 0) continue;
      if (values.length !== this.#rule.slots.length) {
        throw new FormatError(
          `Optimizer state of ${name}: ${this.kind} needs ${this.#rule.slots.join(', ')}, found ${values.map(([slot]) => slot).join(', ')}.`,
        );
      }
      const steps = this.#rule.countsSteps ? Number(state.get(`${name}.step`)?.data[0]) : 1;
      if (!Number.isSafeInteger(steps)) throw new FormatError(`Optimizer state ${name}.step is missing or not a whole number.`);
      unknown.delete(`${name}.step`);
      found.set(name, { parameter, steps, values });
    }
    if (unknown.size > 0) {
      throw new FormatError(
        `Optimizer state: ${[...unknown].slice(0, 5).join(', ')} (${unknown.size} in all) do not belong to ${this.kind} over these parameters.`,
      );
    }
    this.dispose();
    for (const [name, { parameter, steps, values }] of found) {
      const layout = layouts[parameter.layout];
      const upload = (data: Float32Array) =>
        tensor(layout.fromTorch(data, parameter.shape).slice(), layout.shape(parameter.shape), 'float32');
      tidy(() => this.#replace(name, { steps, tensors: Object.fromEntries(values.map(([slot, data]) => [slot, upload(data)])) }));
    }
  }

  dispose(): void {
    for (const { tensors } of this.#slots.values()) for (const slot of Object.values(tensors)) slot.dispose();
    this.#slots.clear();
  }
}
