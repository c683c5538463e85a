import { Module, type State, isModule } from '@convkit/core';

type Weight = Exclude<State, { readonly kind: 'counter' }>;

/** The modules and states of a net and the data of its weights as they are now, to be asked before each pass whether they still are. */
export class NetSnapshot {
  /** Modules whose parts are their fields, with the values of those. */
  readonly #plain: { readonly fields: Readonly<Record<string, unknown>>; readonly values: readonly unknown[] }[] = [];
  /** Modules that name their parts by a method of their own. */
  readonly #named: { readonly module: Module<unknown>; readonly parts: readonly (State | Module<unknown>)[] }[] = [];
  readonly #weights: { readonly weight: Weight; readonly data: object }[] = [];
  /** The same in one list. */
  readonly #all: object[] = [];

  constructor(net: Module<unknown>) {
    this.#add(net);
  }

  #add(module: Module<unknown>): void {
    const parts = module.parts().map(([, part]) => part);
    const fields = module as unknown as Readonly<Record<string, unknown>>;
    if (module.parts === Module.prototype.parts) this.#plain.push({ fields, values: Object.values(fields) });
    else this.#named.push({ module, parts });
    for (const part of parts) {
      this.#all.push(part);
      if (isModule(part)) this.#add(part);
      else this.#addState(part as State);
    }
  }

  #addState(state: State): void {
    if (state.kind === 'counter') return;
    const data = state.value.dataId;
    this.#weights.push({ weight: state, data });
    this.#all.push(data);
  }

  /** Whether no field and no weight has changed: quick, without walking the parts. Throws ConvkitError where a weight was freed. */
  isCurrent(): boolean {
    for (const { fields, values } of this.#plain) {
      let at = 0;
      for (const name in fields) if (fields[name] !== values[at++]) return false;
      if (at !== values.length) return false;
    }
    for (const { module, parts } of this.#named) {
      const now = module.parts();
      if (now.length !== parts.length || now.some(([, part], i) => part !== parts[i])) return false;
    }
    for (const { weight, data } of this.#weights) if (weight.value.dataId !== data) return false;
    return true;
  }

  /** Whether both have the same parts and weights, whatever their other fields say. */
  equals(other: NetSnapshot): boolean {
    return this.#all.length === other.#all.length && this.#all.every((part, i) => part === other.#all[i]);
  }
}
