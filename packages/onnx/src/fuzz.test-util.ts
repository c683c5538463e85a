import { type Random, globalAvgPool, hardSwish, mish, silu, subsample, upsample } from '@convkit/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';

/** What a random graph is made of. Its ops are drawn with `random`, so that one seed gives one graph on every backend. */
export interface Graph {
  readonly random: Random;
  /** Images [N,H,W,C], matrices and other tensors so far. */
  readonly tensors: Tensor[];
  /** Whether values may be equal by construction: their maximum has then several places, and rounding chooses among them. */
  ties: boolean;
  /** The next trainable tensor. */
  parameter(shape: number[], scale: number): Tensor;
  /** Fixed numbers. */
  noise(shape: number[]): Tensor;
}

/** An op of random graphs: what it takes and what it makes of it. */
interface Step {
  readonly rank?: number;
  readonly fits?: (x: Tensor, graph: Graph) => boolean;
  readonly ties?: boolean;
  readonly run: (x: Tensor, graph: Graph) => Tensor;
}

const image = (run: (x: Tensor4D, graph: Graph) => Tensor, rest: Partial<Step> = {}): Step => ({
  ...rest,
  rank: 4,
  run: run as Step['run'],
});
const matrix = (run: (x: Tensor, graph: Graph) => Tensor): Step => ({ rank: 2, run });
const one = <T>(random: Random, list: readonly T[]): T => list[random.int(list.length)];
const channels = (x: Tensor): number => x.shape.at(-1)!;
const wide = (x: Tensor): boolean => x.shape[1]! >= 3 && x.shape[2]! >= 3;
const distinct = (x: Tensor, { ties }: Graph): boolean => !ties && wide(x);
const bounded = (x: Tensor): Tensor => tf.clipByValue(x, -4, 4);

/** A tensor of the same shape, x itself among them. */
const mate = (x: Tensor, { random, tensors }: Graph): Tensor =>
  one(
    random,
    tensors.filter(({ shape }) => shape.join() === x.shape.join()),
  );
const filter = (graph: Graph, h: number, w: number, cin: number, cout: number): Tensor4D =>
  graph.parameter([h, w, cin, cout], 1.5 / Math.sqrt(h * w * cin)) as Tensor4D;
const order = ({ random }: Graph, n: number): Tensor1D => tf.tensor1d(Int32Array.from(random.permutation(n)), 'int32');

const layers: Step[] = [
  image((x, graph) => {
    const [k, cout, stride] = [one(graph.random, [1, 3]), 1 + graph.random.int(6), one(graph.random, [1, 2])];
    return tf.conv2d(x, filter(graph, k, k, channels(x), cout), stride, 'same');
  }),
  image((x, graph) => tf.conv2d(x, filter(graph, 3, 2, channels(x), 4), 1, 'valid'), { fits: wide }),
  image((x, graph) => tf.depthwiseConv2d(x, filter(graph, 3, 3, channels(x), 1), 1, 'same')),
  image((x) => tf.maxPool(x, 2, 2, 'valid'), { fits: distinct }),
  image((x, { random }) => tf.avgPool(x, 2, one(random, [1, 2]), 'valid'), { fits: wide }),
  image((x, graph) => tf.add(tf.mul(x, graph.parameter([channels(x)], 1)), graph.parameter([channels(x)], 1))),
  image((x) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 0.1)));
  }),
  image((x) => tf.mul(x, tf.sigmoid(tf.mean(x, [1, 2], true)))),
  image((x) => globalAvgPool(x)),
  image((x) => tf.reshape(x, [x.size / channels(x), channels(x)])),
  image((x) => subsample(x, 2)),
  image((x) => tf.mul(x, tf.oneHot(tf.argMax(x, 3), channels(x), 1, 0, 'float32')), {
    fits: (x, graph) => distinct(x, graph) && channels(x) > 1,
  }),
  image((x) => tf.max(x, 3, true), { fits: distinct }),
  matrix((x, graph) => tf.matMul(x, graph.parameter([channels(x), 5], 0.5))),
  matrix((x, graph) => tf.matMul(x, graph.parameter([3, channels(x)], 0.5), false, true)),
  matrix((x) => tf.matMul(tf.tanh(x), tf.mul(x, 0.1), true)),
  matrix((x) => tf.softmax(bounded(x))),
  matrix((x) => tf.logSoftmax(bounded(x))),
];

const pointwise: Step[] = [
  ...[tf.relu, tf.sigmoid, tf.tanh, tf.elu, tf.square, tf.softplus, tf.neg, tf.selu, silu, mish, hardSwish].map((f) => ({
    run: (x: Tensor) => f(bounded(x)),
  })),
  { run: (x) => tf.leakyRelu(x, 0.1) },
  { run: (x) => tf.div(x, tf.add(tf.abs(x), 1)) },
  { run: (x) => tf.sub(tf.scalar(1), x) },
  { run: (x, graph) => tf.add(x, mate(x, graph)) },
  { run: (x, graph) => tf.mul(tf.tanh(x), mate(x, graph)) },
  { run: (x, graph) => tf.where(tf.greater(graph.noise(x.shape), 0.2), x, tf.mul(mate(x, graph), 0.5)) },
  { run: (x) => tf.mul(x, tf.cast(tf.greaterEqual(x, 0.1), 'float32')) },
];

const moves: Step[] = [
  image((x, graph) => tf.concat([x, mate(x, graph)], 1 + graph.random.int(3)), { ties: true }),
  image((x, { random }) => {
    const begin = x.shape.map((n, axis) => (axis === 0 ? 0 : random.int(Math.ceil(n / 2))));
    return tf.slice(
      x,
      begin,
      x.shape.map((n, axis) => n - begin[axis]),
    );
  }),
  image(
    (x, { random }) =>
      tf.pad(x, [
        [0, 0],
        [random.int(2), 1],
        [0, random.int(3)],
        [0, random.int(2)],
      ]),
    { ties: true },
  ),
  image(
    (x) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [1, 1],
          [0, 2],
          [0, 0],
        ],
        'reflect',
      ),
    { fits: wide, ties: true },
  ),
  image((x, { random }) => tf.reverse(x, 1 + random.int(3))),
  image((x) => tf.transpose(x, [0, 2, 1, 3])),
  image((x) => tf.relu(tf.transpose(x, [0, 3, 1, 2]))),
  image((x) => tf.reshape(tf.tanh(tf.reshape(x, [x.shape[0], x.shape[1] * x.shape[2], channels(x)])), x.shape)),
  image((x) => upsample(x, 2), { ties: true }),
  image((x) => tf.image.resizeBilinear(x, [5, 5]), { fits: (x) => x.shape[1] === x.shape[2] }),
  image((x, graph) => tf.gather(x, order(graph, channels(x)), 3)),
  image((x, graph) => tf.gather(x, order(graph, x.shape[0]), 0)),
  image((x) => tf.stack(tf.unstack(x, 3).reverse(), 1), { fits: (x) => channels(x) > 1 }),
  image((x) => tf.concat(tf.split(x, [1, channels(x) - 1], 3).reverse(), 3), { fits: (x) => channels(x) > 1 }),
  image((x) => tf.cumsum(tf.mul(x, 0.3), 3)),
  image((x) => tf.tile(x, [1, 2, 1, 2]), { ties: true }),
  image((x) => tf.squeeze(tf.expandDims(x, 2), [2])),
  matrix((x) => tf.transpose(x)),
  matrix((x) => tf.sub(x, tf.mean(x, 0, true))),
];

const steps = [...layers, ...layers, ...pointwise, ...moves];
const MOST_VALUES = 4000;

/** Adds the result of a random op to the graph. */
export function grow(graph: Graph): Tensor {
  const { random, tensors } = graph;
  for (;;) {
    const x = one(random, tensors);
    const step = one(random, steps);
    if (step.rank !== undefined && step.rank !== x.rank) continue;
    if (step.fits && !step.fits(x, graph)) continue;
    const y = step.run(x, graph);
    if (step.ties) graph.ties = true;
    const small = y.size > MOST_VALUES ? tf.mean(y, y.rank === 4 ? [1, 2] : 0) : y;
    tensors.push(small);
    return small;
  }
}
