import {
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  add,
  engine,
  keep,
  mul,
  tensor_util,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import { Classifier, inputSize } from './classifier.js';
import { ArgumentError, ConvkitError } from './errors.js';
import { observe, withForwards } from './hooks.js';
import { BatchNorm2d } from './layers/batch-norm.js';
import { Conv2d } from './layers/conv2d.js';
import { type Context, Module, type State, inference } from './module.js';
import { dropTape } from './ops/tape.js';

/** A convolution and the normalisation that takes its output, and nothing else does. */
interface Pair {
  readonly conv: Conv2d;
  readonly norm: BatchNorm2d;
}

/**
 * The net for inference, with each BatchNorm2d computed by the convolution before it: y = conv(x) · s + t is a convolution
 * with the filters times s, and bias t (+ s · bias). Gives the same outputs to about 1e-6.
 *
 * Pairs are found by running the net on an empty image: a normalisation takes part if its input is the very output of a
 * convolution that nothing else reads, and both run once. `parts`, and so names and state, are those of the net itself,
 * which stays as it is and can go on training; the folded filters are a copy, and `dispose` frees them only. Throws
 * ConvkitError at the next `forward` if the net's weights have changed: fuse it again. Throws ArgumentError when training.
 *
 *     const fast = fuse(resnet50);
 *     await fast.classify(image);
 */
export function fuse(model: Classifier): Classifier;
export function fuse<Output>(model: Module<Output>, input: readonly [height: number, width: number]): Module<Output>;
export function fuse<Output>(model: Module<Output>, input?: readonly [height: number, width: number]): Module<Output> {
  if (model instanceof Classifier) {
    return new FusedClassifier(model, fold(model, input ?? inputSize(model.preprocessing))) as unknown as Module<Output>;
  }
  if (!input) throw new ArgumentError('fuse needs the size of an input, [height, width].');
  return new FusedModule(model, fold(model, input));
}

/** Filters with folded normalisation, and the weights that they were computed from. */
interface Folded {
  readonly forwards: readonly (readonly [Module<unknown>, (x: Tensor) => Tensor])[];
  readonly tensors: readonly Tensor[];
  /** False when a weight has been set since. */
  fresh(): boolean;
}

function fold(model: Module<unknown>, input: readonly [number, number]): Folded {
  const tensors: Tensor[] = [];
  const sources: [state: { value: Tensor }, data: object][] = [];
  const forwards = findPairs(model, input).flatMap(({ conv, norm }) => {
    const { filter, bias } = tidy(() => {
      const { scale, offset } = norm.affine();
      const own = conv.bias ? add(mul(conv.bias.value, scale), offset) : offset;
      return { filter: keep(mul<Tensor4D>(conv.weight.value, scale)), bias: keep(own) as Tensor1D };
    });
    tensors.push(filter, bias);
    for (const module of [conv, norm])
      for (const [, state] of module.state()) if (state.kind !== 'counter') sources.push([state, state.value.dataId]);
    const pass = (x: Tensor): Tensor => x;
    return [[conv, (x: Tensor) => conv.convolve(x, filter, bias)] as const, [norm, pass] as const];
  });
  return { forwards, tensors, fresh: () => sources.every(([state, data]) => state.value.dataId === data) };
}

function findPairs(model: Module<unknown>, [height, width]: readonly [number, number]): Pair[] {
  const leaves = [...model.modules()].filter(([, module]) => isPlain(module, Conv2d) || isPlain(module, BatchNorm2d));
  const byName = new Map(leaves);
  const runs = new Map<string, { input: Tensor; output: Tensor; from: number; to: number }[]>();
  const { state } = engine();
  let begin = 0;
  const enter = (): void => void (begin = state.activeTape.length);
  const leave = (name: string, output: unknown, x: Tensor): void => {
    const run = { input: x, output: output as Tensor, from: begin, to: state.activeTape.length };
    runs.set(name, [...(runs.get(name) ?? []), run]);
  };
  if (state.gradientDepth > 0) throw new ArgumentError('fuse cannot run inside of a gradient.');
  let pairs: Pair[] = [];
  try {
    tidy(() => {
      // a tape lists every operation with its inputs, which tells who reads an output
      state.activeTape = [];
      state.gradientDepth = 1;
      const given = observe(leaves, { enter, leave }, () => model.forward(zeros([1, height, width, 3]), inference));
      const returned = new Set(tensor_util.getTensorsInContainer(given as Tensor).map(({ id }) => id));
      const readers = new Map<number, number[]>();
      state.activeTape.forEach(({ inputs }, at) => {
        for (const { id } of Object.values(inputs)) readers.set(id, [...(readers.get(id) ?? []), at]);
      });
      const once = [...runs].flatMap(([name, all]) => (all.length === 1 ? [{ module: byName.get(name)!, ...all[0] }] : []));
      const convs = new Map(
        once.flatMap(({ module, output }) => (module instanceof Conv2d ? [[output.id, module] as const] : [])),
      );
      pairs = once.flatMap(({ module, input, from, to }) => {
        const conv = convs.get(input.id);
        const alone = (readers.get(input.id) ?? []).every((at) => at >= from && at < to) && !returned.has(input.id);
        return conv && module instanceof BatchNorm2d && alone ? [{ conv, norm: module }] : [];
      });
    });
    return pairs;
  } finally {
    dropTape();
  }
}

/** An instance whose forward pass is the class's own: a subclass may compute something else. */
function isPlain(module: Module<unknown>, type: typeof Conv2d | typeof BatchNorm2d): boolean {
  return module instanceof type && module.forward === type.prototype.forward;
}

function run<Output>(model: Module<Output>, folded: Folded, x: Tensor, ctx: Context): Output {
  if (ctx.training) throw new ArgumentError('A fused net is for inference: train the net that it was made from.');
  if (!folded.fresh()) throw new ConvkitError('The weights of the net have changed since it was fused: fuse it again.');
  return withForwards(folded.forwards, () => model.forward(x, inference));
}

const freeAll = ({ tensors }: Folded): void => tensors.forEach((tensor) => tensor.dispose());

class FusedModule<Output> extends Module<Output> {
  readonly #model: Module<Output>;
  readonly #folded: Folded;
  constructor(model: Module<Output>, folded: Folded) {
    super();
    this.#model = model;
    this.#folded = folded;
  }
  override parts(): [string, State | Module<unknown>][] {
    return this.#model.parts();
  }
  forward(x: Tensor, ctx: Context): Output {
    return run(this.#model, this.#folded, x, ctx);
  }
  override dispose(): void {
    freeAll(this.#folded);
  }
}

class FusedClassifier extends Classifier {
  readonly #model: Classifier;
  readonly #folded: Folded;
  constructor(model: Classifier, folded: Folded) {
    super({ numClasses: model.classes.length, classes: model.classes, preprocessing: model.preprocessing });
    this.stages = model.stages;
    this.#model = model;
    this.#folded = folded;
  }
  override get heads(): readonly string[] {
    return this.#model.heads;
  }
  override parts(): [string, State | Module<unknown>][] {
    return this.#model.parts();
  }
  forward(x: Tensor, ctx: Context): Tensor {
    return run(this.#model, this.#folded, x, ctx);
  }
  override dispose(): void {
    freeAll(this.#folded);
  }
}
