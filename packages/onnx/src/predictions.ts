import { ConvkitError, type Module, type State, isModule } from '@convkit/core';
import { type Tensor, type TensorContainer, tidy } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend.js';
import { CompiledModel, type InputShape } from './compiled-model.js';

/** A computation on a net for inputs of one size, and the weights that it was compiled with. */
interface Prediction {
  /** Undefined for a computation that cannot be compiled: it runs as it is recorded. */
  readonly compiled: CompiledModel<unknown> | undefined;
  readonly weights: readonly object[];
}

/** Compiled nets, each kept until its weights change or the net is gone. */
export class Predictions {
  readonly #backend: OnnxBackend;
  readonly #known = new WeakMap<Module<unknown>, Map<string, Prediction>>();

  constructor(backend: OnnxBackend) {
    this.#backend = backend;
  }

  /** The result of `compute` for x, from a compiled graph. */
  run<T>(model: Module<unknown>, name: string, compute: (x: Tensor) => T, x: Tensor): T {
    const { compiled } = this.#find(model, name, compute, [null, ...x.shape.slice(1)]);
    if (compiled) return (compiled as CompiledModel<T>).run(x);
    return tidy(() => compute(x) as TensorContainer) as unknown as T;
  }

  #find(model: Module<unknown>, name: string, compute: (x: Tensor) => unknown, shape: InputShape): Prediction {
    const key = `${name}[${shape.join()}]`;
    let own = this.#known.get(model);
    if (!own) this.#known.set(model, (own = new Map<string, Prediction>()));
    const weights = weightsOf(model);
    const found = own.get(key);
    if (found && found.weights.length === weights.length && found.weights.every((id, i) => id === weights[i])) return found;
    found?.compiled?.dispose();
    const made = { compiled: this.#compile(model, compute, shape), weights };
    own.set(key, made);
    return made;
  }

  #compile(model: Module<unknown>, compute: (x: Tensor) => unknown, shape: InputShape): CompiledModel<unknown> | undefined {
    try {
      return new CompiledModel(this.#backend, model, compute, shape);
    } catch (error) {
      if (!(error instanceof ConvkitError)) throw error;
      process.emitWarning(`onnx: the net runs, but not as a compiled graph. ${error.message}`, 'ConvkitWarning');
      return undefined;
    }
  }
}

/** The data of every weight of a net. It is asked for before each pass, so it makes no names, as `state` does. */
function weightsOf(module: Module<unknown>, found: object[] = []): object[] {
  for (const [, part] of module.parts()) {
    if (isModule(part)) {
      weightsOf(part, found);
      continue;
    }
    const state = part as State;
    if (state.kind !== 'counter') found.push(state.value.dataId);
  }
  return found;
}
