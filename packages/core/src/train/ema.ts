import { type Tensor, add, keep, mul, scalar, tidy } from '@tensorflow/tfjs-core';
import { ArgumentError } from '../errors.js';
import type { Module, Parameter } from '../module.js';
import type { StateDict } from '../weights/host-tensor.js';
import { loadStateDict, stateDict } from '../weights/state-dict.js';
import { type Snapshot, keptClone } from './buffers.js';

export interface EmaOptions {
  /** What the average keeps of itself in a step, once it is ramped up; in [0, 1). Default 0.9999. */
  readonly decay?: number;
  /** After this many steps the decay has risen to 63 % of its value: decay · (1 − e^(−step / ramp)). Default 2000. */
  readonly ramp?: number;
}

/**
 * The exponential moving average of a model's weights and running statistics: a ← d · a + (1 − d) · w after each step, with
 * d = decay · (1 − e^(−step / ramp)), so that the first weights, drawn at random, are soon forgotten (Polyak and Juditsky 1992;
 * Tan and Le 2019 train EfficientNet so). Counts are not averaged.
 */
export class Ema {
  readonly #model: Module<unknown>;
  readonly #decay: number;
  readonly #ramp: number;
  readonly #averages = new Map<Parameter, Tensor>();

  /** Starts from the weights that the model has. Throws ArgumentError for a decay outside [0, 1) or a ramp that is not above 0. */
  constructor(model: Module<unknown>, { decay = 0.9999, ramp = 2000 }: EmaOptions = {}) {
    if (!(decay >= 0 && decay < 1)) throw new ArgumentError(`ema: decay must be in [0, 1), found ${decay}.`);
    if (!(ramp > 0)) throw new ArgumentError(`ema: ramp must be above 0, found ${ramp}.`);
    this.#model = model;
    this.#decay = decay;
    this.#ramp = ramp;
    for (const parameter of this.#states()) {
      this.#averages.set(parameter, keptClone(parameter.value));
    }
  }

  /** Takes in the weights after the step with this number (from 1). */
  update(step: number): void {
    const decay = this.#decay * (1 - Math.exp(-step / this.#ramp));
    tidy(() => {
      const [old, next] = [scalar(decay, 'float32'), scalar(1 - decay, 'float32')];
      for (const [parameter, average] of this.#averages) {
        this.#averages.set(parameter, keep(add(mul(average, old), mul(parameter.value, next))));
        average.dispose();
      }
    });
  }

  /** Remembers the averages. */
  snapshot(): Snapshot {
    const copies = new Map([...this.#averages].map(([parameter, average]) => [parameter, keptClone(average)]));
    return {
      restore: () => {
        for (const [parameter, copy] of copies) {
          this.#averages.get(parameter)?.dispose();
          this.#averages.set(parameter, keptClone(copy));
        }
      },
      dispose: () => copies.forEach((copy) => copy.dispose()),
    };
  }

  /** Exchanges the model's weights and their averages; the second call undoes the first. */
  swap(): void {
    for (const [parameter, average] of this.#averages) {
      const weights = keptClone(parameter.value);
      parameter.value.assign(average);
      average.dispose();
      this.#averages.set(parameter, weights);
    }
  }

  /** The averages under the names of the model's state dict. */
  async state(): Promise<StateDict> {
    return this.#swapped(() => stateDict(this.#model));
  }

  /** Takes back what `state()` gave. Throws FormatError for names or shapes that do not fit. */
  async load(state: StateDict): Promise<void> {
    await this.#swapped(() => Promise.resolve(loadStateDict(this.#model, state)));
  }

  dispose(): void {
    for (const average of this.#averages.values()) average.dispose();
    this.#averages.clear();
  }

  async #swapped<T>(work: () => Promise<T>): Promise<T> {
    this.swap();
    try {
      return await work();
    } finally {
      this.swap();
    }
  }

  *#states(): Generator<Parameter> {
    for (const [, state] of this.#model.state()) if (state.kind !== 'counter') yield state;
  }
}
