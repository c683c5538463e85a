import { registerBackend, selectBackend } from '@convkit/core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import * as tf from '@tensorflow/tfjs-core';
import { type Tensor, type Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { fallbacks, onnx } from '../index.js';

/** Each kernel against tfjs-cpu's, in the types that tfjs has for it, and after a convolution, whose result lies in NCHW. */

beforeAll(() => {
  registerBackend(onnx);
});

interface Result {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

async function results(backend: string, compute: () => Tensor | Tensor[]): Promise<Result[]> {
  await selectBackend(backend);
  const tensors = tf.tidy(compute);
  const list = Array.isArray(tensors) ? tensors : [tensors];
  const found = list.map((tensor) => ({ dtype: tensor.dtype, shape: tensor.shape, values: [...tensor.dataSync()] }));
  tf.dispose(list);
  return found;
}

function close(found: Result, expected: Result): void {
  expect({ dtype: found.dtype, shape: found.shape }).toEqual({ dtype: expected.dtype, shape: expected.shape });
  const size = Math.max(1, ...expected.values.filter(Number.isFinite).map(Math.abs));
  const limit = found.dtype === 'float32' ? 1e-5 * size : 0;
  expected.values.forEach((value, i) => {
    const other = found.values[i];
    if (Object.is(value, other) || (Number.isNaN(value) && Number.isNaN(other)) || value === other) return;
    const place = `value ${i} of ${expected.values.length}: ${other}, not ${value}`;
    expect(Math.abs(other - value), place).toBeLessThanOrEqual(limit);
  });
}

const wave = (shape: number[], scale = 1, phase = 0): Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => scale * Math.sin(1.7 * i + phase)),
    shape,
  );
const wholes = (shape: number[], low = -5, high = 5): Tensor =>
  tf.tensor(
    Int32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => low + ((i * 7) % (high - low + 1))),
    shape,
    'int32',
  );
const truths = (shape: number[]): Tensor =>
  tf.tensor(
    [...wholes(shape).dataSync()].map((n) => n > 0),
    shape,
    'bool',
  );
/** [2,6,4,8], from a convolution. */
const image = (): Tensor4D => tf.conv2d(wave([2, 6, 4, 3]) as Tensor4D, wave([3, 3, 3, 8], 0.5, 1) as Tensor4D, 1, 'same');

type Case = readonly [name: string, compute: () => Tensor | Tensor[]];

/** The gradient of Σ f(x)·cos(i) in x. */
const gradient = (f: (x: Tensor) => Tensor, x: () => Tensor): Tensor => {
  const weighted = (input: Tensor) => {
    const y = f(input);
    return tf.sum(tf.mul(y, wave(y.shape, 1, Math.PI / 2)));
  };
  return tf.grad(weighted)(x());
};

const kinds = { float32: wave, int32: wholes, bool: truths } as const;
const eachKind = (make: (values: (shape: number[]) => Tensor, kind: string) => Case[]): Case[] =>
  Object.entries(kinds).flatMap(([kind, values]) => make((shape) => values(shape), kind));

const shapes: Case[] = [
  ...eachKind((values, kind) => [
    [`reshape ${kind}`, () => tf.reshape(values([2, 3, 4]), [4, -1])],
    [`expandDims ${kind}`, () => tf.expandDims(values([2, 3]), 1)],
    [`squeeze ${kind}`, () => tf.squeeze(values([2, 1, 3]))],
    [`transpose ${kind}`, () => tf.transpose(values([2, 3, 4]), [2, 0, 1])],
    [`concat ${kind}`, () => tf.concat([values([2, 3, 4]), values([2, 1, 4])], 1)],
    [`stack ${kind}`, () => tf.stack([values([2, 3]), values([2, 3])], 1)],
    [`unstack ${kind}`, () => tf.unstack(values([2, 3, 4]), 1)],
    [`split ${kind}`, () => tf.split(values([2, 9]), [2, 3, 4], 1)],
    [`split evenly ${kind}`, () => tf.split(values([6, 2]), 3)],
    [`tile ${kind}`, () => tf.tile(values([2, 3]), [2, 3])],
    [`broadcastTo ${kind}`, () => tf.broadcastTo(values([2, 1, 3]), [2, 4, 3])],
    [`slice ${kind}`, () => tf.slice(values([4, 5, 6]), [1, 0, 2], [2, 5, -1])],
    [`empty slice ${kind}`, () => tf.slice(values([4, 5]), [1, 0], [0, 5])],
    [`stridedSlice ${kind}`, () => tf.stridedSlice(values([6, 7]), [1, 6], [6, 0], [2, -2])],
    [`stridedSlice to the first ${kind}`, () => tf.stridedSlice(values([5]), [4], [0], [-2], 0, 1)],
    [`stridedSlice, masks ${kind}`, () => tf.stridedSlice(values([4, 5, 6]), [0, 1], [2, 3], [1, 1], 1, 0, 0, 0, 2)],
    [`reverse ${kind}`, () => tf.reverse(values([3, 4, 2]), [0, 2])],
    [
      `pad ${kind}`,
      () =>
        tf.pad(
          values([2, 3]),
          [
            [1, 2],
            [0, 1],
          ],
          1,
        ),
    ],
    [
      `mirrorPad reflect ${kind}`,
      () =>
        tf.mirrorPad(
          values([3, 4]),
          [
            [1, 2],
            [2, 3],
          ],
          'reflect',
        ),
    ],
    [
      `mirrorPad symmetric ${kind}`,
      () =>
        tf.mirrorPad(
          values([3, 4]),
          [
            [1, 3],
            [2, 0],
          ],
          'symmetric',
        ),
    ],
    [`clone ${kind}`, () => tf.clone(values([3]))],
    [`zerosLike, onesLike ${kind}`, () => [tf.zerosLike(values([3])), tf.onesLike(values([2, 2]))]],
  ]),
  ['concat along channels and rows', () => [tf.concat([image(), image()], 3), tf.concat([image(), wave([2, 1, 4, 8])], 1)]],
  ['slices of an image', () => [tf.slice(image(), [0, 0, 0, 2], [-1, -1, -1, 3]), tf.slice(image(), [1, 2, 1, 0], [1, 3, 2, 8])]],
  ['strided slice of an image', () => tf.stridedSlice(image(), [0, 0, 1, 0], [2, 6, 4, 8], [1, 2, 2, 1])],
  [
    'split, stack and unstack of images',
    () => [...tf.split(image(), 4, 3), tf.stack([image(), image()], 3), ...tf.unstack(image(), 1)],
  ],
  [
    'pad, reverse, tile of an image',
    () => [
      tf.pad(
        image(),
        [
          [0, 0],
          [1, 2],
          [0, 3],
          [0, 1],
        ],
        -1,
      ),
      tf.reverse(image(), [1, 3]),
      tf.tile(image(), [1, 2, 1, 3]),
      tf.mirrorPad(
        image(),
        [
          [0, 0],
          [1, 2],
          [2, 1],
          [0, 0],
        ],
        'reflect',
      ),
    ],
  ],
  [
    'reshapes of an image',
    () => [
      tf.reshape(image(), [2, 24, 8]),
      tf.reshape(image(), [2, 24, 2, 4]),
      tf.reshape(image(), [12, 4, 8]),
      tf.reshape(image(), [2, 192]),
      tf.reshape(image(), [1, 2, 6, 1, 4, 8, 1]),
      tf.reshape(image(), [2, 2, 3, 4, 8]),
      tf.expandDims(image(), -1),
    ],
  ],
  ['an image of one pixel as vectors', () => tf.reshape(tf.mean(image(), [1, 2], true), [2, 8])],
  [
    'transposes of an image',
    () => [
      tf.transpose(image(), [0, 3, 1, 2]),
      tf.reshape(tf.transpose(image(), [0, 3, 1, 2]), [2, 192]),
      tf.relu(tf.transpose(tf.transpose(image(), [3, 0, 2, 1]), [1, 2, 0, 3])),
    ],
  ],
  [
    'spaceToBatchND and batchToSpaceND',
    () => {
      const x = tf.spaceToBatchND(
        image(),
        [2, 3],
        [
          [0, 0],
          [1, 1],
        ],
      );
      return [
        x,
        tf.batchToSpaceND(
          x,
          [2, 3],
          [
            [1, 1],
            [1, 1],
          ],
        ),
      ];
    },
  ],
  ['depthToSpace', () => tf.depthToSpace(image(), 2)],
  [
    'gradients of what moves',
    () => [
      gradient(
        (x) => tf.concat([x, tf.mul(x, x)], 1),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.slice(x, [1, 0], [1, 2]),
        () => wave([2, 3]),
      ),
      gradient(
        (x) =>
          tf.pad(x, [
            [1, 1],
            [0, 2],
          ]),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.stack(tf.unstack(x, 1), 0),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.tile(x, [2, 2]),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.transpose(tf.reshape(x, [3, 2])),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.concat(tf.split(x, 3, 1).reverse(), 0),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.reverse(x, 1),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.spaceToBatchND(x, [2], [[0, 0]]),
        () => wave([1, 4, 2]),
      ),
      gradient(
        (x) =>
          tf.mirrorPad(
            x,
            [
              [0, 0],
              [0, 0],
            ],
            'reflect',
          ),
        () => wave([2, 3]),
      ),
    ],
  ],
];

const reductions: Case[] = [
  ...eachKind((values, kind) => [
    [`sum ${kind}`, () => [tf.sum(values([2, 3, 4]), 1), tf.sum(values([2, 3]), [0, 1], true), tf.sum(values([3, 3]))]],
    [`mean ${kind}`, () => [tf.mean(values([2, 3, 4]), [0, 2]), tf.mean(values([2, 3]), -1, true)]],
    [`max and min ${kind}`, () => [tf.max(values([3, 4]), 0), tf.min(values([3, 4]), 1, true), tf.max(values([5]))]],
    [`prod ${kind}`, () => tf.prod(values([2, 3]), 1)],
    [`argMax and argMin ${kind}`, () => [tf.argMax(values([4, 5]), 1), tf.argMin(values([4, 5]), 0), tf.argMax(values([7]))]],
    [`cumsum ${kind}`, () => [tf.cumsum(values([3, 4]), 1), tf.cumsum(values([3, 4]), 0, true, true)]],
  ]),
  ['sum over no axis and of a scalar', () => [tf.sum(wave([2, 3]), []), tf.sum(tf.scalar(3))]],
  ['sum of nothing', () => tf.sum(tf.zeros([0, 3]), 0)],
  ['all and any', () => [tf.all(truths([3, 4]), 1), tf.any(truths([3, 4]), 0, true), tf.all(truths([2]))]],
  [
    'ties of argMax',
    () =>
      tf.argMax(
        tf.tensor2d([
          [1, 3, 3],
          [2, 2, 2],
        ]),
        1,
      ),
  ],
  [
    'reductions of an image',
    () => [
      tf.mean(image(), [1, 2]),
      tf.sum(image(), [0, 1, 2]),
      tf.max(image(), 3, true),
      tf.mean(image(), [1, 2], true),
      tf.min(image(), [1]),
      tf.sum(image(), 0),
      tf.argMax(image(), 3),
      tf.argMax(image(), 1),
      tf.cumsum(image(), 3),
    ],
  ],
  [
    'softmax and logSoftmax',
    () => [tf.softmax(wave([3, 5], 3)), tf.logSoftmax(wave([3, 5], 3)), tf.softmax(image()), tf.logSoftmax(image())],
  ],
  [
    'topk',
    () => {
      const { values, indices } = tf.topk(wave([3, 7]), 3);
      const ties = tf.topk(tf.tensor1d([1, 2, 2, 0, 2], 'int32'), 4);
      return [values, indices, ties.values, ties.indices];
    },
  ],
  [
    'moments, logSumExp, norm',
    () => [tf.moments(image(), [0, 1, 2]).variance, tf.logSumExp(wave([3, 4]), 1), tf.norm(wave([3, 4]))],
  ],
  [
    'gradients of reductions',
    () => [
      gradient(
        (x) => tf.sum(x, 1),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.mean(x, [0]),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.max(x, 1),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.min(x, 0, true),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.softmax(x),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.logSoftmax(x),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.cumsum(x, 1, true),
        () => wave([2, 3]),
      ),
    ],
  ],
];

const products: Case[] = [
  [
    'matMul',
    () => [
      tf.matMul(wave([3, 4]), wave([4, 5])),
      tf.matMul(wave([4, 3]), wave([5, 4]), true, true),
      tf.matMul(tf.transpose(wave([4, 3])), tf.transpose(wave([5, 4]))),
    ],
  ],
  ['matMul of a matrix that lies transposed', () => tf.matMul(tf.transpose(tf.relu(wave([4, 3]))), tf.relu(wave([3, 5])), true)],
  [
    'matMul of stacks',
    () => [
      tf.matMul(wave([2, 3, 4]), wave([2, 4, 5])),
      tf.matMul(wave([2, 4, 3]), wave([1, 5, 4]), true, true),
      tf.matMul(wave([2, 1, 3, 4]), wave([2, 1, 4, 2])),
      tf.matMul(wave([1, 3, 4]), wave([1, 4, 2])),
    ],
  ],
  ['matMul of whole numbers', () => tf.matMul(wholes([3, 4]), wholes([4, 2]))],
  [
    'fused matMul',
    () => [
      tf.fused.matMul({ a: wave([3, 4]), b: wave([4, 5]), bias: wave([5]), activation: 'relu' }),
      tf.fused.matMul({ a: wave([3, 4]), b: wave([5, 4]), transposeB: true, bias: wave([1, 5]), activation: 'sigmoid' }),
      tf.fused.matMul({ a: wave([2, 3, 4]), b: wave([2, 4, 5]), bias: wave([5]) }),
    ],
  ],
  ['matMul of an image', () => tf.matMul(tf.reshape(image(), [2, 24, 8]), wave([8, 3]))],
  [
    'einsum',
    () => [tf.einsum('ij,jk->ik', wave([2, 3]), wave([3, 4])), tf.einsum('bij,bjk->bki', wave([2, 2, 3]), wave([2, 3, 4]))],
  ],
  [
    'gradients of products',
    () => [
      gradient(
        (x) => tf.matMul(x, wave([3, 4])),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.matMul(wave([3, 4]), x, true, true),
        () => wave([2, 3]),
      ),
      gradient(
        (x) => tf.matMul(x, wave([2, 3, 4]), true),
        () => wave([2, 3, 2]),
      ),
    ],
  ],
];

const places: Case[] = [
  ...eachKind((values, kind) => [
    [
      `gather ${kind}`,
      () => [tf.gather(values([4, 3]), tf.tensor1d([3, 0, 3], 'int32')), tf.gather(values([2, 5]), wholes([2, 2], 0, 4), 1)],
    ],
    [
      `gatherND ${kind}`,
      () =>
        tf.gatherND(
          values([3, 4, 2]),
          tf.tensor2d(
            [
              [0, 1],
              [2, 3],
            ],
            [2, 2],
            'int32',
          ),
        ),
    ],
    [
      `where ${kind}`,
      () => [tf.where(truths([2, 3]), values([2, 3]), values([2, 3])), tf.where(truths([2, 1]), values([2, 3]), values([1, 3]))],
    ],
  ]),
  ['gather with batch dimensions', () => tf.gather(wave([2, 5, 3]), wholes([2, 2], 0, 4), 1, 1)],
  [
    'gather of images',
    () => [
      tf.gather(image(), tf.tensor1d([1, 0, 1], 'int32')),
      tf.gather(image(), tf.tensor1d([7, 2], 'int32'), 3),
      tf.gather(
        image(),
        tf.tensor2d(
          [
            [3, 2],
            [0, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
      ),
      tf.gather(image(), tf.scalar(1, 'int32'), 2),
    ],
  ],
  [
    'scatterND',
    () => [
      tf.scatterND(tf.tensor2d([[1], [3], [1]], [3, 1], 'int32'), wave([3, 2]), [5, 2]),
      tf.scatterND(
        tf.tensor2d(
          [
            [0, 1],
            [2, 2],
          ],
          [2, 2],
          'int32',
        ),
        wholes([2]),
        [3, 4],
      ),
    ],
  ],
  [
    'unsortedSegmentSum',
    () => [
      tf.unsortedSegmentSum(wave([4, 3]), tf.tensor1d([1, 0, 1, 7], 'int32'), 3),
      tf.unsortedSegmentSum(wave([4]), tf.tensor1d([2, -1, 2, 0], 'int32'), 4),
    ],
  ],
  [
    'oneHot',
    () => [
      tf.oneHot(tf.tensor1d([0, 3, -1, 5], 'int32'), 4),
      tf.oneHot(
        tf.tensor2d(
          [
            [0, 1],
            [2, 1],
          ],
          [2, 2],
          'int32',
        ),
        3,
        2,
        -1,
      ),
      tf.oneHot(tf.tensor1d([1], 'int32'), 3, 1, 0, 'bool'),
      tf.oneHot(tf.tensor1d([1], 'int32'), 3, 1, 0, 'float32'),
    ],
  ],
  [
    'range and linspace',
    () => [tf.range(0, 5), tf.range(5, 0, -2), tf.range(1, 2, 0.25), tf.range(0, 4, 1, 'int32'), tf.linspace(0, 1, 5)],
  ],
  [
    'gradients of gather and where',
    () => [
      gradient(
        (x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32')),
        () => wave([3, 2]),
      ),
      gradient(
        (x) => tf.gather(x, tf.tensor1d([1, 0, 1, 1], 'int32'), 1),
        () => wave([3, 2]),
      ),
      gradient(
        (x) => tf.where(truths([3, 2]), tf.square(x), tf.mul(x, 3)),
        () => wave([3, 2]),
      ),
    ],
  ],
];

const comparisons: Case[] = [
  ...eachKind((values, kind) => [
    [
      `comparisons ${kind}`,
      () => {
        const [a, b] = [values([3, 4]), tf.reverse(values([3, 4]), 1)];
        return [tf.equal, tf.notEqual, tf.less, tf.lessEqual, tf.greater, tf.greaterEqual].map((f) => f(a, b));
      },
    ],
    [`casts of ${kind}`, () => (['float32', 'int32', 'bool'] as const).map((to) => tf.cast(tf.mul(values([9]), 1), to))],
  ]),
  ['comparisons broadcast', () => tf.greater(image(), tf.mean(image(), [1, 2], true))],
  [
    'logic',
    () => {
      const [a, b] = [truths([7]), tf.reverse(truths([7]))];
      return [tf.logicalAnd(a, b), tf.logicalOr(a, b), tf.logicalXor(a, b), tf.logicalNot(a)];
    },
  ],
  ['casts truncate', () => tf.cast(tf.tensor1d([1.9, -1.9, 0.5, -0.5]), 'int32')],
  [
    'isNaN, isInf, isFinite',
    () => {
      const x = tf.tensor1d([1, NaN, Infinity, -Infinity, 0]);
      return [tf.isNaN(x), tf.isInf(x), tf.isFinite(x)];
    },
  ],
];

const numbers: Case[] = [
  [
    'arithmetic of whole numbers',
    () => {
      const [a, b] = [wholes([11], -5, 5), tf.reverse(wholes([11], -4, 6))];
      return [
        tf.add(a, b),
        tf.sub(a, b),
        tf.mul(a, b),
        tf.maximum(a, b),
        tf.minimum(a, b),
        tf.neg(a),
        tf.abs(a),
        tf.square(a),
        tf.squaredDifference(a, b),
      ];
    },
  ],
  [
    'division of whole numbers rounds down',
    () => {
      const [a, b] = [tf.tensor1d([7, -7, 7, -7, 6, 0, 3], 'int32'), tf.tensor1d([2, 2, -2, -2, 3, 5, 0], 'int32')];
      return [tf.div(a, b), tf.floorDiv(a, b)];
    },
  ],
  [
    'mod',
    () => [
      tf.mod(tf.tensor1d([7, -7, 7, -7, 6], 'int32'), tf.tensor1d([3, 3, -3, -3, 3], 'int32')),
      tf.mod(tf.tensor1d([7.5, -7.5, 7.5, -7.5, 6]), tf.tensor1d([2, 2, -2, -2, 3])),
    ],
  ],
  ['atan2', () => tf.atan2(tf.tensor1d([1, 1, -1, -1, 1, -1, 0, 2]), tf.tensor1d([1, -1, -1, 1, 0, 0, -1, 3]))],
  [
    'unary functions',
    () => {
      const x = wave([9], 0.9);
      const positive = tf.add(tf.abs(x), 1.1);
      const functions = [
        ...[
          tf.abs,
          tf.neg,
          tf.sign,
          tf.floor,
          tf.ceil,
          tf.round,
          tf.square,
          tf.exp,
          tf.expm1,
          tf.sin,
          tf.cos,
          tf.tan,
          tf.asin,
          tf.acos,
        ],
        ...[
          tf.atan,
          tf.sinh,
          tf.cosh,
          tf.tanh,
          tf.erf,
          tf.relu,
          tf.relu6,
          tf.elu,
          tf.selu,
          tf.sigmoid,
          tf.softplus,
          tf.asinh,
          tf.atanh,
        ],
      ];
      return [
        ...functions.map((f) => f(x)),
        ...[tf.sqrt, tf.rsqrt, tf.log, tf.log1p, tf.reciprocal, tf.acosh].map((f) => f(positive)),
      ];
    },
  ],
  ['halves round to even', () => tf.round(tf.tensor1d([0.5, 1.5, 2.5, -0.5, -1.5]))],
  [
    'binary functions',
    () => {
      const [a, b] = [wave([3, 4]), wave([4], 1, 2)];
      return [
        tf.add(a, b),
        tf.sub(a, b),
        tf.mul(a, b),
        tf.div(a, b),
        tf.maximum(a, b),
        tf.minimum(a, b),
        tf.pow(tf.abs(a), b),
        tf.squaredDifference(a, b),
        tf.prelu(a, b),
      ];
    },
  ],
  [
    'step, clipByValue, leakyRelu',
    () => [tf.step(wave([7])), tf.step(wave([7]), 0.3), tf.clipByValue(wave([7]), -0.2, 0.5), tf.leakyRelu(wave([7]), 0.1)],
  ],
  ['addN', () => tf.addN([wave([3]), wave([3], 2), wave([3], 3)])],
  ['fill', () => [tf.fill([2, 3], 1.5), tf.fill([2], 3, 'int32'), tf.zeros([2, 2]), tf.ones([2], 'bool')]],
  [
    'broadcasting of an image',
    () => [
      tf.mul(image(), wave([8])),
      tf.add(image(), wave([6, 4, 1])),
      tf.sub(tf.scalar(1), image()),
      tf.mul(wave([2, 1, 1, 8]), image()),
    ],
  ],
  [
    'gradients of functions',
    () =>
      [
        tf.elu,
        tf.selu,
        tf.sigmoid,
        tf.softplus,
        tf.tanh,
        tf.relu6,
        tf.exp,
        tf.square,
        tf.sin,
        tf.atan,
        tf.erf,
        tf.abs,
        tf.expm1,
      ].map((f) =>
        gradient(
          (x) => f(x),
          () => wave([2, 5]),
        ),
      ),
  ],
];

const resizes: Case[] = (['nearest', 'bilinear'] as const).flatMap((kind): Case[] => {
  const resize = (x: Tensor4D, size: [number, number], corners = false, half = false) =>
    kind === 'nearest' ? tf.image.resizeNearestNeighbor(x, size, corners, half) : tf.image.resizeBilinear(x, size, corners, half);
  const sizes: [number, number][] = [
    [12, 8],
    [3, 2],
    [7, 9],
    [6, 4],
    [1, 1],
  ];
  // tfjs-cpu's own gradients are wrong for more than one image and for images that are not square.
  const square = () => tf.slice(image(), [1, 1, 0, 0], [1, 4, 4, 8]);
  return [
    [`resize ${kind}`, () => sizes.map((size) => resize(image(), size))],
    [`resize ${kind}, corners aligned`, () => sizes.map((size) => resize(image(), size, true))],
    [`resize ${kind}, centres of pixels`, () => sizes.map((size) => resize(image(), size, false, true))],
    [`gradient of resize ${kind}`, () => sizes.slice(0, 4).map((size) => gradient((x) => resize(x as Tensor4D, size), square))],
    [
      `gradient of resize ${kind}, corners aligned`,
      () => sizes.slice(0, 4).map((size) => gradient((x) => resize(x as Tensor4D, size, true), square)),
    ],
  ];
});

const images: Case[] = [
  ...resizes,
  ['resize of whole numbers', () => tf.image.resizeNearestNeighbor(wholes([1, 2, 3, 2]) as Tensor4D, [4, 5])],
  ['flipLeftRight', () => tf.image.flipLeftRight(image())],
  ['localResponseNormalization', () => [tf.localResponseNormalization(image(), 2, 1, 0.3, 0.75)]],
  [
    'gradient of localResponseNormalization',
    () => gradient((x) => tf.localResponseNormalization(x as Tensor4D, 2, 1, 0.3, 0.75), image),
  ],
];

describe.each([
  ['shapes', shapes],
  ['reductions', reductions],
  ['products', products],
  ['places', places],
  ['comparisons', comparisons],
  ['numbers', numbers],
  ['images', images],
])('%s', (_family, cases) => {
  test.each(cases)('%s', async (_name, compute) => {
    const expected = await results('cpu', compute);
    const before = [...fallbacks().keys()];
    const found = await results('onnx', compute);
    expect(found.length).toBe(expected.length);
    expected.forEach((result, i) => close(found[i], result));
    expect(
      [...fallbacks().keys()].filter((name) => !before.includes(name)),
      'fallbacks',
    ).toEqual([]);
  });
});
