import { ArgumentError, ConvkitError, type Module, ShapeError } from '@convkit/core';
import { type Tensor, engine } from '@tensorflow/tfjs-core';
import type { OnnxBackend } from './backend.js';
import { type DType, type HostValues, Slot, Value } from './graph.js';
import { inferenceModel } from './inference-model.js';
import { type Layout, inverse } from './layout.js';
import { closedGraph, openGraph } from './open-dimensions.js';
import { encodeModel } from './proto/model.js';
import { biasInProduct } from './rewrite/bias.js';
import { padInMaxPool } from './rewrite/pool-padding.js';
import { rowsOfPixels } from './rewrite/rows-of-pixels.js';
import { rewrite } from './rewrite/steps.js';
import { type NativeSession, openRuntime } from './runtime.js';
import { type Trace, trace } from './trace.js';

const compiledOptions = {
  // A pass of few milliseconds notices the asking for each result's memory; that of a step's many results is another matter.
  enableMemPattern: true,
  // Threads wait for work 2 ms long, over the end of a pass too: whoever runs one batch after the other finds them awake. Those that
  // went to sleep earlier may wake on the core that is busy, where a system with other work leaves them; those of ONNX Runtime's own
  // wait, more than 30 ms, are in the way of a second net.
  extra: { session: { intra_op: { spin_duration_us: '2000' } } },
};

/** [N, H, W, C]; null: any. */
export type InputShape = readonly (number | null)[];

/**
 * A net as one graph with its weights inside, which ONNX Runtime folds and packs when it loads them: the fastest way to run it. The
 * weights are those of the time of compiling.
 */
export class CompiledModel<T> {
  readonly #backend: OnnxBackend;
  readonly #session: NativeSession;
  readonly #trace: Trace<T>;
  readonly #shape: InputShape;
  /** For each tensor of the result: the graph's output, how it lies in memory, and where its axes are there. */
  readonly #places: readonly { readonly name: string; readonly dtype: DType; readonly layout: Layout; readonly axes: number[] }[];
  readonly #fetches: Record<string, null>;

  constructor(backend: OnnxBackend, model: Module<unknown>, compute: (x: Tensor) => T, shape: InputShape) {
    const { trace, open } = traceOpen(backend, model, compute, shape);
    const outputs = trace.program.outputs.map((_, i) => `y${i}`);
    this.#backend = backend;
    this.#trace = trace;
    this.#shape = shape;
    const rewrites = [biasInProduct, padInMaxPool, rowsOfPixels(trace.input, open.input)];
    const graph = { ...open, nodes: rewrite(open.nodes, trace.program.outputs, rewrites) };
    const net = encodeModel(inferenceModel(trace, graph, { input: 'x', outputs }));
    this.#session = openRuntime().load(net, compiledOptions);
    this.#places = trace.outputs.map(({ slot, dtype, layout }) => {
      return { name: outputs[trace.program.outputs.indexOf(slot)], dtype, layout, axes: inverse(layout) };
    });
    this.#fetches = Object.fromEntries(outputs.map((name) => [name, null]));
  }

  /** The result for a batch; its tensors are the caller's. Throws ShapeError for a batch of another shape than it was compiled for. */
  run(x: Tensor): T {
    const fits = x.rank === this.#shape.length && this.#shape.every((n, axis) => n === null || n === x.shape[axis]);
    if (!fits || x.dtype !== 'float32') {
      const expected = this.#shape.map((n) => n ?? 'any').join(', ');
      throw new ShapeError(`Compiled for float32 [${expected}], found ${x.dtype} [${x.shape.join(', ')}].`);
    }
    const { Tensor: OrtTensor } = openRuntime();
    const feed = new OrtTensor('float32', this.#backend.readSync(x.dataId) as Float32Array, x.shape);
    const results = this.#session.run({ x: feed }, this.#fetches, {});
    const tensors = this.#places.map(({ name, dtype, layout, axes }) => {
      const { data, dims } = results[name];
      const value = new Value(
        new Slot(dtype, dims, { data: data as HostValues }),
        axes.map((axis) => dims[axis]),
        layout,
      );
      return engine().makeTensorFromTensorInfo(this.#backend.store(value));
    });
    return this.#trace.rebuild(tensors);
  }

  dispose(): void {
    this.#session.dispose();
  }
}

/**
 * Sizes that stand for an open axis while tracing. Sides that halve without rest show how pixels follow the size; the last ones, of
 * which one is odd after every halving, that they follow it at any size.
 */
const stand: readonly (readonly number[])[] = [
  [2, 3, 5],
  [128, 192, 151],
  [128, 256, 234],
];

/** The graph of a computation, with open dimensions where the shape says null. */
export function traceOpen<T>(
  backend: OnnxBackend,
  model: Module<unknown>,
  compute: (x: Tensor) => T,
  shape: InputShape,
  options: Parameters<typeof trace>[4] = {},
) {
  const sized = (which: number): number[] => shape.map((n, axis) => n ?? stand[axis]?.[which] ?? 1);
  const first = trace(backend, model, compute, sized(0), options);
  if (!shape.includes(null)) return { trace: first, open: closedGraph(first) };
  const further = shape[1] === null || shape[2] === null ? [1, 2] : [1];
  const others = further.map((which) => {
    try {
      return trace(backend, model, compute, sized(which), options);
    } catch (error) {
      if (!(error instanceof ConvkitError)) throw error;
      throw new ArgumentError(`The net does not take images of every size: fix it. ${error.message}`, { cause: error });
    }
  });
  const axes = ['batch', 'height', 'width', 'channels'];
  const names = options.input ? options.input.map((axis) => axes[axis]) : axes;
  return { trace: first, open: openGraph(first, others, names) };
}
