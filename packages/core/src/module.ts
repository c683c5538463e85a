import { type Tensor, type Variable, tensor, tidy, variable } from '@tensorflow/tfjs-core';
import { ArgumentError, ConvkitError } from './errors.js';
import type { Initializer } from './init.js';
import { Random } from './random.js';
import { type Layout, layouts } from './weights/layout.js';

/** What a forward pass needs to know besides its input. */
export interface Context {
  /** True while training: batch statistics in BatchNorm, dropout and drop path active. */
  readonly training: boolean;
  /** The source of dropout masks; needed only while training. */
  readonly random?: Random;
  /** Takes the logits of an auxiliary head, whose loss counts with this weight beside the net's own; absent outside of training. */
  readonly auxiliary?: (logits: Tensor, weight: number) => void;
}

/** The context of evaluation and inference. */
export const inference: Context = Object.freeze({ training: false });

/** The seed of everything that was not given one. */
export const DEFAULT_SEED = 0;

const STATE = Symbol.for('convkit.state');

/** A trained weight. Its name in the state dict is the path of field names that leads to it. */
export class Parameter {
  readonly [STATE] = true;
  readonly kind: 'parameter' | 'buffer' = 'parameter';
  /** The shape in PyTorch's layout, as in the published checkpoints. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  /** False: frozen, see `freeze`. */
  trainable = true;
  readonly #init: Initializer;
  #variable: Variable | undefined;

  constructor(shape: readonly number[], options: { init: Initializer; layout?: Layout }) {
    this.shape = shape;
    this.layout = options.layout ?? 'plain';
    this.#init = options.init;
  }

  get size(): number {
    return this.shape.reduce((product, n) => product * n, 1);
  }

  get initialized(): boolean {
    return this.#variable !== undefined;
  }

  /** The weight in tfjs layout. Throws while nothing has set it: a model never computes with weights that nobody chose. */
  get value(): Variable {
    if (!this.#variable) {
      throw new ConvkitError('The model has no weights yet: call model.initialize(seed), or load a checkpoint into it.');
    }
    return this.#variable;
  }

  /** Draws the starting value. */
  initialize(random: Random): void {
    const values = new Float32Array(this.size);
    this.#init(values, layouts[this.layout].fan(this.shape), random);
    this.set(values);
  }

  /** Sets the weight from values in PyTorch's layout; a parameter keeps its place in memory over sets. */
  set(values: Float32Array): void {
    if (values.length !== this.size) {
      throw new ArgumentError(`A parameter of shape [${this.shape}] takes ${this.size} values, not ${values.length}.`);
    }
    const layout = layouts[this.layout];
    this.#assign(tidy(() => tensor(layout.fromTorch(values, this.shape), layout.shape(this.shape), 'float32')));
  }

  /** The weight's values in PyTorch's layout. */
  async read(): Promise<Float32Array> {
    const values = (await this.value.data()) as Float32Array;
    return layouts[this.layout].toTorch(values, this.shape);
  }

  #assign(next: Tensor): void {
    if (this.#variable) this.#variable.assign(next);
    else this.#variable = variable(next, true);
    next.dispose();
  }

  dispose(): void {
    this.#variable?.dispose();
    this.#variable = undefined;
  }
}

/** State that is saved but not trained, such as BatchNorm's running mean. */
export class Buffer extends Parameter {
  override readonly kind = 'buffer';
}

/** A saved count that lives on the host: BatchNorm's `num_batches_tracked`, a 0-dimensional int64 in checkpoints. */
export class Counter {
  readonly [STATE] = true;
  readonly kind = 'counter';
  readonly shape: readonly number[] = [];
  value = 0;
}

export type State = Parameter | Buffer | Counter;

const MODULE = Symbol.for('convkit.module');

/** Is this a convkit module? Works across copies of this package, where `instanceof` does not. */
export function isModule(value: unknown): value is Module {
  return typeof value === 'object' && value !== null && MODULE in value;
}

/**
 * A part of a network. A public field that holds a Parameter, Buffer, Counter or Module belongs to the state dict under
 * its own name, in the order of declaration; everything else in a module is private (`#name`).
 */
export abstract class Module<Output = Tensor> {
  readonly [MODULE] = true;

  abstract forward(x: Tensor, ctx: Context): Output;

  /** The direct parts by name. */
  parts(): [name: string, part: State | Module<unknown>][] {
    return Object.entries(this).filter(([, part]) => isState(part) || isModule(part));
  }

  /** This module and all below it, each with its dotted path. */
  *modules(prefix = ''): Generator<[name: string, module: Module<unknown>]> {
    yield [prefix, this];
    for (const [name, part] of this.parts()) if (isModule(part)) yield* part.modules(join(prefix, name));
  }

  /** All state by its name in the state dict, in PyTorch's order: own parameters, own buffers, then the children's. */
  *state(prefix = ''): Generator<[name: string, state: State]> {
    for (const [path, module] of this.modules(prefix)) {
      const own = module.parts().filter((entry): entry is [string, State] => isState(entry[1]));
      for (const [name, state] of own) if (state.kind === 'parameter') yield [join(path, name), state];
      for (const [name, state] of own) if (state.kind !== 'parameter') yield [join(path, name), state];
    }
  }

  /** The name in this model of an entry of a checkpoint; a net that is published under other names too translates them here. */
  rename(name: string): string {
    return name;
  }

  /** The trained weights by name. */
  *parameters(): Generator<[name: string, parameter: Parameter]> {
    for (const [name, state] of this.state()) if (state.kind === 'parameter') yield [name, state];
  }

  /** Sets every weight to its starting value. Each has a stream of its own, named as in the state dict. */
  initialize(seed: number = DEFAULT_SEED): this {
    const random = new Random(seed).child('init');
    for (const [name, state] of this.state()) {
      if (state.kind === 'counter') state.value = 0;
      else state.initialize(random.child(name));
    }
    return this;
  }

  /** Frees the weights. */
  dispose(): void {
    for (const [, state] of this.state()) if (state.kind !== 'counter') state.dispose();
  }
}

/** A step of `pipe`: a module, or a function without state such as `relu`. */
export type Stage = Module | ((x: Tensor) => Tensor);

/**
 * Runs the stages one after the other and frees everything between them as soon as the next stage has used it.
 * `x` stays the caller's; the result is the caller's too.
 */
export function pipe(ctx: Context, x: Tensor, ...stages: readonly Stage[]): Tensor {
  let current = x;
  for (const stage of stages) {
    const next = tidy(() => (isModule(stage) ? stage.forward(current, ctx) : stage(current)));
    if (current !== x && current !== next) current.dispose();
    current = next;
  }
  return current;
}

/** Stages in a row, named 0, 1, 2 … as in PyTorch, or by the keys of a record. A function takes a number, but has no state. */
export class Sequential extends Module {
  readonly #stages: readonly [name: string, stage: Stage][];
  readonly #parts: [string, Module][];

  constructor(stages: readonly Stage[] | Readonly<Record<string, Stage>>) {
    super();
    this.#stages = Object.entries(stages);
    this.#parts = this.#stages.filter((entry): entry is [string, Module] => isModule(entry[1]));
  }

  override parts(): [string, Module][] {
    return this.#parts;
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, ...this.#stages.map(([, stage]) => stage));
  }
}

function isState(value: unknown): value is State {
  return typeof value === 'object' && value !== null && STATE in value;
}

function join(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}
