import { ConvkitError, type Module, PREDICT, type PredictingBackend } from '@convkit/core';
import {
  type BackendValues,
  type DataType,
  KernelBackend,
  type Tensor,
  type TensorInfo,
  engine,
  util,
} from '@tensorflow/tfjs-core';
import { type DType, type HostValues, Slot, Value, recording } from './graph.js';
import { permutation, permute, plainLayout } from './layout.js';
import { Predictions } from './predictions.js';
import { type SessionStatistics, Sessions } from './session.js';

type DataId = TensorInfo['dataId'];

/** What tfjs knows under one data id: a value of the graph, or, where ONNX has no such type, values of the host. */
interface Entry {
  references: number;
  readonly value?: Value;
  readonly host?: BackendValues;
  watched?: boolean;
}

/** Types that graphs compute with. */
const isGraphType = (dtype: DataType): dtype is Exclude<DType, 'int64'> =>
  dtype === 'float32' || dtype === 'int32' || dtype === 'bool';

/** Recorded values that nothing has read: more of them are computed before they fill the memory. */
const LONGEST_RECORDING = 100_000;

/**
 * tfjs on ONNX Runtime. Kernels record; the first read runs, as one graph, whatever is recorded and still referenced. What was
 * disposed by then is never computed.
 */
export class OnnxBackend extends KernelBackend implements PredictingBackend {
  readonly #entries = new Map<DataId, Entry>();
  /** Values that are recorded and not yet computed. */
  readonly #pending = new Set<Value>();
  readonly #sessions = new Sessions();
  #recorded = 0;
  #recordOnly = false;
  #watchedLeft = 0;
  readonly #predictions = new Predictions(this);

  /** Runs, compiled graphs and the time that both took. */
  get statistics(): SessionStatistics {
    return this.#sessions.statistics;
  }

  /** The value behind a tensor; undefined where a graph cannot hold it (strings, complex numbers). */
  value(tensor: TensorInfo): Value | undefined {
    return this.#entry(tensor.dataId).value;
  }

  /** How often a tensor has left watched data: while this stays, tensors that had such data have it still. */
  get watchedLeft(): number {
    return this.#watchedLeft;
  }

  /** Watches a tensor's data for tensors that leave it: that are freed, or, as variables, set. */
  watch(tensor: TensorInfo): void {
    this.#entry(tensor.dataId).watched = true;
  }

  /** Makes a tensor of a kernel's result. */
  store(value: Value): TensorInfo {
    const dataId = {};
    this.#entries.set(dataId, { references: 1, value });
    if (value.slot.node) {
      this.#pending.add(value);
      if (++this.#recorded > LONGEST_RECORDING) this.flush();
    }
    return { dataId, shape: [...value.shape], dtype: value.dtype as DataType };
  }

  /** What `predict` of @convkit/core calls: the net as a compiled graph. */
  [PREDICT]<T>(model: Module<unknown>, name: string, compute: (x: Tensor) => T, x: Tensor): T {
    return this.#predictions.run(model, name, compute, x);
  }

  /** Runs `compute`, which may record but not run anything: its graph is for a file or for many runs. */
  record(compute: () => void): void {
    this.flush();
    this.#recordOnly = recording.portable = true;
    try {
      compute();
    } finally {
      this.#recordOnly = recording.portable = false;
    }
  }

  /** Computes everything that is recorded and referenced. Throws ConvkitError inside of `record`. */
  flush(): void {
    if (this.#recordOnly) {
      throw new ConvkitError(
        'A net that is compiled or exported cannot read values while it runs, nor use a kernel without ONNX form.',
      );
    }
    const slots = new Set<Slot>();
    for (const { slot } of this.#pending) if (slot.node) slots.add(slot);
    this.#pending.clear();
    this.#recorded = 0;
    if (slots.size > 0) this.#sessions.run([...slots]);
  }

  /** Computes what is recorded; where that fails, this alone: the failure of another value is for its own reader. */
  #compute(slot: Slot): void {
    try {
      this.flush();
    } catch (error) {
      if (this.#recordOnly) throw error;
      this.#sessions.run([slot]);
    }
    if (slot.node) this.#sessions.run([slot]);
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const dataId = {};
    this.#entries.set(dataId, entry(values, shape, dtype, 1));
    return dataId;
  }

  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, references: number): void {
    this.#entries.set(dataId, entry(values, shape, dtype, references));
  }

  override readSync(dataId: DataId): BackendValues {
    const { value, host } = this.#entry(dataId);
    if (!value) return host!;
    if (value.slot.constant) return hostValues(value.slot.constant, value.dtype);
    if (!value.slot.data) this.#compute(value.slot); // not yet run, or the input of a net that is only recorded
    const { data, dims } = value.slot;
    const plain = plainLayout(value.rank);
    return value.layout === plain ? data! : permute(data!, dims, permutation(value.layout, plain));
  }

  override async read(dataId: DataId): Promise<BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const found = this.#entries.get(dataId);
    if (!found) return true;
    if (found.watched) this.#watchedLeft++;
    if (--found.references > 0 && !force) return false;
    this.#entries.delete(dataId);
    if (found.value) this.#pending.delete(found.value);
    return true;
  }

  override incRef(dataId: DataId): void {
    this.#entry(dataId).references++;
  }

  override refCount(dataId: DataId): number {
    return this.#entries.get(dataId)?.references ?? 0;
  }

  override numDataIds(): number {
    return this.#entries.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override async time(f: () => void): Promise<{ kernelMs: number }> {
    this.flush();
    const start = util.now();
    f();
    this.flush();
    return { kernelMs: util.now() - start };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override dispose(): void {
    this.#entries.clear();
    this.#pending.clear();
    this.#sessions.dispose();
  }

  #entry(dataId: DataId): Entry {
    const found = this.#entries.get(dataId);
    if (found) return found;
    if (!engine().state.tensorInfo.has(dataId)) throw new Error('onnx: this tensor was disposed.');
    engine().moveData(this, dataId); // it lies on another backend
    return this.#entries.get(dataId)!;
  }
}

function entry(values: BackendValues, shape: readonly number[], dtype: DataType, references: number): Entry {
  if (!isGraphType(dtype)) return { references, host: values };
  const typed = Array.isArray(values) ? hostValues(values as unknown as number[], dtype) : values;
  return { references, value: new Value(new Slot(dtype, [...shape], { data: typed }), [...shape]) };
}

const arrays = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

function hostValues(values: ArrayLike<number>, dtype: DType): HostValues {
  return arrays[dtype as 'float32'].from(values);
}
