import { Module, type State, isModule } from '@convkit/core';
import type { OnnxBackend } from './backend.js';

type Weight = Exclude<State, { readonly kind: 'counter' }>;
type Parts = ReturnType<Module['parts']>;

/**
 * The modules and states of a net and the data of its weights as they are now, to be asked before each pass whether they still are.
 * The pass has driven them out of the processor's caches, so what is compared lies in lists, side by side, and weights
 * are looked at only after the backend has seen one change.
 */
export class NetSnapshot {
  /** Modules whose parts are their fields, the values of those one after the other, and where those of each module end. */
  readonly #plain: Readonly<Record<string, unknown>>[] = [];
  readonly #values: unknown[] = [];
  readonly #ends: number[] = [];
  /** Modules that name their parts by a method of their own, and what it gave. */
  readonly #named: Module<unknown>[] = [];
  readonly #lists: Parts[] = [];
  readonly #weights: Weight[] = [];
  readonly #data: object[] = [];
  /** Every part. */
  readonly #parts: object[] = [];

  readonly #backend: OnnxBackend;
  /** What the backend's count was when the weights were last looked at. */
  #watchedLeft: number;

  constructor(backend: OnnxBackend, net: Module<unknown>) {
    this.#backend = backend;
    this.#watchedLeft = backend.watchedLeft;
    this.#add(net);
  }

  #add(module: Module<unknown>): void {
    const list = module.parts();
    if (module.parts === Module.prototype.parts) {
      const fields = module as unknown as Readonly<Record<string, unknown>>;
      this.#plain.push(fields);
      this.#ends.push(this.#values.push(...Object.values(fields)));
    } else {
      this.#named.push(module);
      this.#lists.push(list);
    }
    for (const [, part] of list) {
      this.#parts.push(part);
      if (isModule(part)) this.#add(part);
      else this.#addState(part as State);
    }
  }

  #addState(state: State): void {
    if (state.kind === 'counter') return;
    const { value } = state;
    this.#weights.push(state);
    this.#data.push(value.dataId);
    this.#backend.watch(value);
  }

  /** Whether no field and no weight has changed: quick, without walking the parts. Throws ConvkitError where a weight was freed. */
  isCurrent(): boolean {
    let at = 0;
    for (let i = 0; i < this.#plain.length; i++) {
      const fields = this.#plain[i];
      for (const name in fields) if (fields[name] !== this.#values[at++]) return false;
      if (at !== this.#ends[i]) return false;
    }
    for (let i = 0; i < this.#named.length; i++) if (!sameParts(this.#named[i].parts(), this.#lists[i])) return false;
    if (this.#watchedLeft === this.#backend.watchedLeft) return true;
    for (let i = 0; i < this.#weights.length; i++) {
      const { value } = this.#weights[i];
      if (value.dataId !== this.#data[i]) return false;
      this.#backend.watch(value); // it may have been on another backend since
    }
    this.#watchedLeft = this.#backend.watchedLeft;
    return true;
  }

  /** Whether both have the same parts and weights, whatever their other fields say. */
  equals(other: NetSnapshot): boolean {
    return same(this.#parts, other.#parts) && same(this.#data, other.#data);
  }
}

const same = (a: readonly object[], b: readonly object[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);

/** `Sequential` gives the same list each time. */
const sameParts = (a: Parts, b: Parts): boolean =>
  a === b || (a.length === b.length && a.every(([, part], i) => part === b[i][1]));
