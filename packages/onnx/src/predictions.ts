import { ConvkitError, type Module } from '@convkit/core';
import { type Tensor, type TensorContainer, tidy } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend.js';
import { CompiledModel, type InputShape } from './compiled-model.js';
import { NetSnapshot } from './net-snapshot.js';

/** A computation on a net for inputs of one size, and the net that it was compiled from. */
interface Prediction {
  /** Undefined for a computation that cannot be compiled: it runs as it is recorded. */
  readonly compiled: CompiledModel<unknown> | undefined;
  net: NetSnapshot;
}

/** Compiled nets, each kept until its parts or weights change or the net is gone. */
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
    const found = own.get(key);
    if (found?.net.isCurrent()) return found;
    const net = new NetSnapshot(this.#backend, model);
    if (found?.net.equals(net)) {
      found.net = net;
      return found;
    }
    found?.compiled?.dispose();
    own.delete(key);
    const made = { compiled: this.#compile(model, compute, shape), net };
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
