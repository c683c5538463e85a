import {
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  add as addTensors,
  clipByValue,
  clone,
  concat as concatTensors,
  elu as eluOf,
  erf,
  exp as expOf,
  fill,
  leakyRelu as leakyReluOf,
  logSoftmax as logSoftmaxOf,
  max,
  mean,
  mul as mulTensors,
  pad,
  relu as reluOf,
  relu6 as relu6Of,
  reshape as reshapeTo,
  reverse,
  selu as seluOf,
  sigmoid as sigmoidOf,
  slice,
  softmax as softmaxOf,
  softplus,
  square,
  step,
  sub,
  tanh as tanhOf,
  tensor,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import { ShapeError } from './errors.js';
import { defineOp } from './ops/op.js';
import { subsample as pick } from './ops/subsample.js';
import { upsample as nearest } from './ops/upsample.js';

/** Functions of tensors without state. Each is differentiable on every backend; x stays the caller's. */

/** Keeps the output for the gradient, which the next layer keeps anyway, and not the input. */
const reluOp = defineOp<'x', object>({
  name: 'Relu',
  save: { outputs: [true] },
  forward: ({ x }) => [reluOf(x)],
  gradient: ([dy], [y]) => ({ x: () => reluGradient({ dy: dy, y: y }, {})[0] }),
});
const reluGradient = defineOp<'dy' | 'y', object>({ name: 'ReluGradient', forward: ({ dy, y }) => [mulTensors(dy, step(y))] });

/** max(x, 0). */
export const relu = (x: Tensor): Tensor => reluOp({ x }, {})[0];

/** As relu; nothing flows back through what was cut off, on either side. */
const relu6Op = defineOp<'x', object>({
  name: 'Relu6',
  save: { outputs: [true] },
  forward: ({ x }) => [relu6Of(x)],
  gradient: ([dy], [y]) => ({ x: () => relu6Gradient({ dy: dy, y: y }, {})[0] }),
});
const relu6Gradient = defineOp<'dy' | 'y', object>({
  name: 'Relu6Gradient',
  forward: ({ dy, y }) => [mulTensors(dy, mulTensors(step(y), step(sub(6, y))))],
});

/** min(max(x, 0), 6). */
export const relu6 = (x: Tensor): Tensor => relu6Op({ x }, {})[0];

/** 1 / (1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => sigmoidOf(x);

/** eˣ. */
export const exp = (x: Tensor): Tensor => expOf(x);

export const tanh = (x: Tensor): Tensor => tanhOf(x);

/** x where x > 0, else slope · x. PyTorch's default slope is 0.01, Darknet's 0.1. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => leakyReluOf(x, slope);

/** x where x > 0, else eˣ − 1 (Clevert et al. 2015, arXiv:1511.07289). */
export const elu = (x: Tensor): Tensor => eluOf(x);

/** elu scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017, arXiv:1706.02515). */
export const selu = (x: Tensor): Tensor => seluOf(x);

/** min(max(x, low), high); the gradient outside is 0. */
export const clamp = (x: Tensor, low: number, high: number): Tensor => clipByValue(x, low, high);

/** An activation that keeps x alone for its gradient; the derivative is computed from it anew. */
function activation(name: string, value: (x: Tensor) => Tensor, derivative: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  const op = defineOp<'x', object>({
    name,
    save: { inputs: ['x'] },
    forward: ({ x }) => [value(x)],
    gradient: ([dy], [x]) => ({ x: () => mulTensors(dy, derivative(x)) }),
  });
  return (x) => op({ x }, {})[0];
}

/** x · sigmoid(x), also named swish (Ramachandran et al. 2017, arXiv:1710.05941). */
export const silu = (x: Tensor): Tensor => siluOp({ x }, {})[0];

const siluOp = defineOp<'x', object>({
  name: 'Silu',
  save: { inputs: ['x'] },
  forward: ({ x }) => [mulTensors(x, sigmoidOf(x))],
  gradient: ([dy], [x]) => ({ x: () => siluGradient({ dy: dy, x: x }, {})[0] }),
});
const siluGradient = defineOp<'dy' | 'x', object>({
  name: 'SiluGradient',
  forward: ({ dy, x }) => {
    const s = sigmoidOf(x);
    return [mulTensors(dy, mulTensors(s, addTensors(mulTensors(x, sub(1, s)), 1)))];
  },
});

/** x · tanh(ln(1 + eˣ)) (Misra 2019, arXiv:1908.08681). */
export const mish: (x: Tensor) => Tensor = activation(
  'Mish',
  (x) => mulTensors(x, tanhOf(softplus(x))),
  (x) => {
    const t = tanhOf(softplus(x));
    return addTensors(t, mulTensors(mulTensors(x, sigmoidOf(x)), sub(1, square(t))));
  },
);

const normalDistribution = (x: Tensor): Tensor => mulTensors(addTensors(erf(mulTensors(x, Math.SQRT1_2)), 1), 0.5);

/** x · Φ(x) with the normal distribution Φ, not its tanh approximation (Hendrycks & Gimpel 2016, arXiv:1606.08415). */
export const gelu: (x: Tensor) => Tensor = activation(
  'Gelu',
  (x) => mulTensors(x, normalDistribution(x)),
  (x) => {
    const density = mulTensors(expOf(mulTensors(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return addTensors(normalDistribution(x), mulTensors(x, density));
  },
);

/** relu6(x + 3) / 6 (Howard et al. 2019, arXiv:1905.02244). */
export const hardSigmoid: (x: Tensor) => Tensor = activation(
  'HardSigmoid',
  (x) => mulTensors(relu6Of(addTensors(x, 3)), 1 / 6),
  (x) => mulTensors(between(x, -3, 3), 1 / 6),
);

/** x · hardSigmoid(x) (Howard et al. 2019, arXiv:1905.02244). */
export const hardSwish: (x: Tensor) => Tensor = activation(
  'HardSwish',
  (x) => mulTensors(x, mulTensors(relu6Of(addTensors(x, 3)), 1 / 6)),
  (x) => addTensors(mulTensors(between(x, -3, 3), addTensors(mulTensors(x, 1 / 3), 0.5)), step(sub(x, 3))),
);

/** 1 where low < x ≤ high, else 0. */
const between = (x: Tensor, low: number, high: number): Tensor => sub(step(sub(x, low)), step(sub(x, high)));

const addOp = defineOp<'a' | 'b', object>({
  name: 'Add',
  forward: ({ a, b }) => [addTensors(a, b)],
  gradient: ([dy]) => ({ a: () => clone(dy), b: () => clone(dy) }),
});

/** a + b of one shape: the residual connection. Throws ShapeError on different shapes. */
export function add(a: Tensor, b: Tensor): Tensor {
  if (a.shape.join() !== b.shape.join())
    throw new ShapeError(`add takes two tensors of one shape, not [${a.shape}] and [${b.shape}].`);
  return addOp({ a, b }, {})[0];
}

/** a · b, elementwise, broadcast: a squeeze-and-excitation gate [N,1,1,C] scales [N,H,W,C], a number scales everything. */
export const mul = (a: Tensor, b: Tensor | number): Tensor => mulTensors(a, b);

/** x · scale + offset with fixed numbers for each channel, or for each place of a `shape` that broadcasts to that of x. */
export const affine = (x: Tensor, scale: ArrayLike<number>, offset: ArrayLike<number>, shape = [scale.length]): Tensor =>
  tidy(() => addTensors(mulTensors(x, tensor(Float32Array.from(scale), shape)), tensor(Float32Array.from(offset), shape)));

/** The channels in reverse order, RGB ↔ BGR: [..., C] → [..., C]. */
export const reverseChannels = (x: Tensor): Tensor => reverse(x, -1);

/** Joins channels: [..., C₁], [..., C₂], … → [..., C₁ + C₂ + …]; or along another axis. */
export const concat = (parts: readonly Tensor[], axis = -1): Tensor => concatTensors([...parts], axis);

/** `count` channels from `begin` on: [..., C] → [..., count]. */
export function sliceChannels(x: Tensor, begin: number, count: number): Tensor {
  const before = x.shape.slice(0, -1);
  return slice(x, [...before.map(() => 0), begin], [...before, count]);
}

const globalAvgPoolOp = defineOp<'x', { height: number; width: number }>({
  name: 'GlobalAvgPool',
  forward: ({ x }) => [mean(x, [1, 2])],
  gradient: ([dy], _saved, { height, width }) => ({
    x: () => {
      const [n, c] = dy.shape as [number, number];
      return mulTensors(reshapeTo(dy, [n, 1, 1, c]), fill([1, height, width, 1], 1 / (height * width)));
    },
  }),
});

/** Mean over all pixels: [N,H,W,C] → [N,C]. */
export function globalAvgPool(x: Tensor): Tensor2D {
  if (x.rank !== 4) throw new ShapeError(`globalAvgPool takes x [N,H,W,C], not [${x.shape}].`);
  return globalAvgPoolOp({ x }, { height: x.shape[1]!, width: x.shape[2]! })[0] as Tensor2D;
}

/** Mean over all pixels that keeps the axes: [N,H,W,C] → [N,1,1,C]. */
export const spatialMean = (x: Tensor): Tensor => tidy(() => onePixel(globalAvgPool(x)));

/** Largest value of each channel: [N,H,W,C] → [N,1,1,C]. */
export const spatialMax = (x: Tensor): Tensor => max(x, [1, 2], true);

/** Mean over the channels of each pixel: [..., C] → [..., 1]. */
export const channelMean = (x: Tensor): Tensor => mean(x, -1, true);

/** Largest channel of each pixel: [..., C] → [..., 1]. */
export const channelMax = (x: Tensor): Tensor => max(x, -1, true);

/** [N,H,W,C] → [N, C·H·W], in PyTorch's order of channel, row, column, which the weights of a following Linear expect. */
export function flatten(x: Tensor): Tensor2D {
  const n = x.shape[0];
  return tidy(() => reshapeTo(x.rank === 4 ? transpose(x, [0, 3, 1, 2]) : x, [n, x.size / n]));
}

/** Vectors as maps of one pixel: [N,C] → [N,1,1,C]. */
export const onePixel = (x: Tensor): Tensor => reshapeTo(x, [x.shape[0], 1, 1, x.size / x.shape[0]]);

/** The same values in another shape of as many places; −1 stands for what is left. */
export const reshape = (x: Tensor, shape: readonly number[]): Tensor => reshapeTo(x, [...shape]);

/** Probabilities over the last axis. */
export const softmax = (x: Tensor): Tensor => softmaxOf(x, -1);

/** Logarithm of the softmax over the last axis. */
export const logSoftmax = (x: Tensor): Tensor => logSoftmaxOf(x, -1);

/** Every s-th pixel of each row and column, from the first on: [N,H,W,C] → [N,⌈H/s⌉,⌈W/s⌉,C]. */
export function subsample(x: Tensor, stride: number): Tensor {
  if (x.rank !== 4) throw new ShapeError(`subsample takes x [N,H,W,C], not [${x.shape}].`);
  const out = [Math.ceil(x.shape[1]! / stride), Math.ceil(x.shape[2]! / stride)] as const;
  return pick(x as Tensor4D, [0, 0], out, [stride, stride]);
}

/** Each pixel as a square of factor × factor copies (nearest neighbour): [N,H,W,C] → [N,fH,fW,C]. */
export const upsample = (x: Tensor, factor: number): Tensor => nearest(x as Tensor4D, factor);

/** The middle of a map, the odd pixel more being cut off below and on the right: [N,H,W,C] → [N,height,width,C]. */
export function cropMiddle(x: Tensor, [height, width]: readonly [height: number, width: number]): Tensor {
  const [, h, w] = x.shape as [number, number, number, number];
  if (x.rank !== 4 || height > h || width > w) throw new ShapeError(`cropMiddle to ${height}×${width}: x is [${x.shape}].`);
  return pick(x as Tensor4D, [(h - height) >> 1, (w - width) >> 1], [height, width], [1, 1]);
}

/** Adds zero channels: [..., C] → [..., before + C + after]. */
export function padChannels(x: Tensor, before: number, after: number): Tensor {
  const none = Array.from({ length: x.rank - 1 }, (): [number, number] => [0, 0]);
  return pad(x, [...none, [before, after]]);
}

export { reorg } from './ops/reorg.js';
