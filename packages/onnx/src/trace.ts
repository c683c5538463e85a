import { ConvkitError, type Module } from '@convkit/core';
import { Tensor, engine, tidy } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend.js';
import { Slot, Value, raw } from './graph.js';
import { type Layout, physical, plainLayout } from './layout.js';
import { type Program, collect } from './program.js';

/** What a computation on a net records for an input of one shape; nothing of it has run. */
export interface Trace<T> {
  readonly program: Program;
  readonly input: Slot;
  /** The result's tensors, in the order of `rebuild`. */
  readonly outputs: readonly Value[];
  /** Where each lies in the result: `boxes`, `raw.classes`; '' for a result that is one tensor. */
  readonly paths: readonly string[];
  /** The result with other tensors in the place of its own. */
  rebuild(tensors: readonly Tensor[]): T;
  /** The weights by their slots. */
  readonly weights: ReadonlyMap<Slot, string>;
}

export interface TraceOptions {
  /** How the input lies in memory; default: as tfjs has it. */
  readonly input?: Layout;
  /** How a result lies in memory; default: as it was recorded. */
  readonly output?: (value: Value) => Layout;
}

/**
 * Records `compute` for an input of this shape, with the net's weights as leaves. Throws ConvkitError where the computation reads
 * values or needs a kernel that has no ONNX form.
 */
export function trace<T>(
  backend: OnnxBackend,
  model: Module<unknown>,
  compute: (x: Tensor) => T,
  shape: readonly number[],
  { input = plainLayout(shape.length), output = ({ layout }) => layout }: TraceOptions = {},
): Trace<T> {
  backend.flush(); // weights that are still to be computed become leaves
  const slot = new Slot('float32', physical(shape, input), {});
  let outputs: Value[] = [];
  let skeleton: unknown;
  const paths: string[] = [];
  backend.record(() =>
    tidy(() => {
      const x = engine().makeTensorFromTensorInfo(backend.store(new Value(slot, shape, input)));
      const tensors: Tensor[] = [];
      skeleton = mapTensors(compute(x), (tensor, path) => {
        paths.push(path);
        return new Place(tensors.push(tensor) - 1);
      });
      outputs = tensors.map((tensor) => {
        const value = backend.value(tensor);
        if (!value) throw new ConvkitError(`A graph has no ${tensor.dtype} tensors, found one in the result.`);
        const result = value.in(output(value));
        return new Value(result.node ? result : raw('Identity', [result], result.dims), value.shape, output(value));
      });
    }),
  );
  const weights = new Map<Slot, string>();
  for (const [name, state] of model.state()) {
    if (state.kind !== 'counter') weights.set(backend.value(state.value)!.slot, name);
  }
  return {
    program: collect([...new Set(outputs.map((value) => value.slot))]),
    ...{ input: slot, outputs, paths, weights },
    rebuild: (tensors) => rebuilt(skeleton, tensors) as T,
  };
}

/** Stands for a tensor in a result. */
class Place {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

/** A result with each tensor replaced; lists and records are copied, anything else stays. */
function mapTensors(value: unknown, replace: (tensor: Tensor, path: string) => Place, path = ''): unknown {
  if (value instanceof Tensor) return replace(value as Tensor, path);
  return mapParts(value, (part, key) => mapTensors(part, replace, path === '' ? key : `${path}.${key}`));
}

function rebuilt(value: unknown, tensors: readonly Tensor[]): unknown {
  if (value instanceof Place) return tensors[value.index];
  return mapParts(value, (part) => rebuilt(part, tensors));
}

function mapParts(value: unknown, map: (part: unknown, key: string) => unknown): unknown {
  if (Array.isArray(value)) return value.map((part, i) => map(part, String(i)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, map(part, key)]));
}
