import { totalmem } from 'node:os';
import type { DType, HostValues, Slot } from './graph.js';
import { type Program, collect, hash } from './program.js';
import { type Initializer, type Model, encodeModel } from './proto/model.js';
import { type NativeSession, type OrtTensor, openRuntime } from './runtime.js';

/** A loaded program: replayed for every later program of the same structure. */
interface Replay {
  readonly structure: Int32Array;
  readonly session: NativeSession;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly fetches: Record<string, null>;
  /** Of all results of its nodes: more than the memory that the session keeps for its runs. */
  readonly bytes: number;
}

/** What the engine has done since it started. */
export interface SessionStatistics {
  readonly runs: number;
  readonly compiled: number;
  readonly cached: number;
  /** Spent in building and loading graphs, and in running them. */
  readonly compileMs: number;
  readonly runMs: number;
}

/**
 * Programs by their structure. A session keeps the memory of its runs: those that were not used for longest go when there are too
 * many, or when together they could take more than half of the machine's memory.
 */
export class Sessions {
  readonly #limit: number;
  readonly #limitBytes: number;
  readonly #replays = new Map<string, Replay>();
  #bytes = 0;
  #runs = 0;
  #compiled = 0;
  #compileMs = 0;
  #runMs = 0;

  constructor(limit = 64, limitBytes = totalmem() / 2) {
    this.#limit = limit;
    this.#limitBytes = limitBytes;
  }

  get statistics(): SessionStatistics {
    const [runs, compiled, cached] = [this.#runs, this.#compiled, this.#replays.size];
    return { runs, compiled, cached, compileMs: this.#compileMs, runMs: this.#runMs };
  }

  /** Computes these slots, and whatever they need, in one go. */
  run(outputs: readonly Slot[]): void {
    const program = collect(outputs);
    const replay = this.#replay(program);
    const start = performance.now();
    const feeds: Record<string, OrtTensor> = {};
    program.leaves.forEach((slot, i) => (feeds[replay.inputs[i]] = bind(slot)));
    const results = replay.session.run(feeds, replay.fetches, {});
    outputs.forEach((slot, i) => {
      const tensor = results[replay.outputs[i]];
      slot.settle(tensor.data as HostValues);
      slot.bound = tensor;
    });
    this.#runs++;
    this.#runMs += performance.now() - start;
  }

  #replay(program: Program): Replay {
    const key = hash(program.structure);
    const found = this.#replays.get(key);
    if (found) this.#replays.delete(key);
    if (found && isSame(found.structure, program.structure)) {
      this.#replays.set(key, found);
      return found;
    }
    if (found) this.#release(found);
    const start = performance.now();
    const replay = compile(program);
    this.#replays.set(key, replay);
    this.#bytes += replay.bytes;
    for (const [oldest, used] of this.#replays) {
      if (oldest === key || (this.#replays.size <= this.#limit && this.#bytes <= this.#limitBytes)) break;
      this.#replays.delete(oldest);
      this.#release(used);
    }
    this.#compiled++;
    this.#compileMs += performance.now() - start;
    return replay;
  }

  #release({ session, bytes }: Replay): void {
    this.#bytes -= bytes;
    session.dispose();
  }

  dispose(): void {
    for (const replay of this.#replays.values()) this.#release(replay);
    this.#replays.clear();
  }
}

const isSame = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((number, i) => number === b[i]);

/** ONNX Runtime's optimiser finds nothing in what the kernels record that is worth its seconds: filters are inputs here. */
const recordedOptions = { graphOptimizationLevel: 'disabled' } as const;

function compile(program: Program): Replay {
  const model = modelOf(program);
  const session = openRuntime().load(encodeModel(model), recordedOptions);
  const outputs = model.outputs.map(({ name }) => name);
  return {
    session,
    structure: program.structure,
    inputs: model.inputs.map(({ name }) => name),
    outputs,
    fetches: Object.fromEntries(outputs.map((name) => [name, null])),
    bytes: program.nodes.reduce((total, node) => node.outputs.reduce((sum, slot) => sum + bytesOf(slot), total), 0),
  };
}

const widths: Readonly<Record<DType, number>> = { float32: 4, int32: 4, int64: 8, bool: 1 };

const bytesOf = ({ dims, dtype }: Slot): number => dims.reduce((size, n) => size * n, widths[dtype]);

/**
 * The program as an ONNX model: its leaves are inputs, its constants initializers. The inputs' dimensions are left out: where ONNX
 * Runtime knows those of a result it keeps its memory for the next result of the same shape, however late that comes. In a training
 * step that is often the backward pass.
 */
export function modelOf(program: Program): Model {
  const names = new Map<Slot, string>();
  const name = (slot: Slot): string => {
    const known = names.get(slot) ?? `t${names.size}`;
    names.set(slot, known);
    return known;
  };
  return {
    nodes: program.nodes.map((node) => ({
      node,
      inputs: node.inputs.map((slot) => (slot ? name(slot) : '')),
      outputs: node.outputs.map(name),
    })),
    inputs: program.leaves.map((slot) => ({ name: name(slot), dtype: slot.dtype })),
    outputs: program.outputs.map((slot) => ({ name: name(slot), dtype: slot.dtype, dims: slot.dims })),
    initializers: program.constants.map((slot) => constantInitializer(name(slot), slot)),
  };
}

export function constantInitializer(name: string, { dtype, dims, constant }: Slot): Initializer {
  const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
  const values = dtype === 'int64' ? BigInt64Array.from(constant!, BigInt) : arrays[dtype].from(constant!);
  return { name, dtype, dims, bytes: new Uint8Array(values.buffer) };
}

/** The runtime's tensor over the values of a leaf. */
function bind(slot: Slot): OrtTensor {
  const { Tensor } = openRuntime();
  return (slot.bound ??= new Tensor(slot.dtype as 'float32', slot.data as Float32Array, slot.dims)) as OrtTensor;
}
