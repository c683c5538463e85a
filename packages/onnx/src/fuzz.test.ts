import { Random, selectBackend } from '@convkit/core';
import '@convkit/core/train';
import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { type Graph, grow } from './fuzz.test-util.js';
import { fallbacks, registerOnnx } from './index.js';

/** Random graphs of mixed ops and their gradients, with reads and disposals in between: CONVKIT_FUZZ sets how many, default 30. */
const GRAPHS = Number(process.env['CONVKIT_FUZZ'] ?? 30);
const SEED = Number(process.env['CONVKIT_FUZZ_SEED'] ?? 0);

beforeAll(() => registerOnnx());

interface Values {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}
const read = (name: string, x: Tensor): Values => ({ name, shape: x.shape, values: x.dataSync().slice() });

function noise(random: Random, shape: number[], scale = 1): Tensor {
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => scale * random.normal()),
    shape,
  );
}

/** Builds the graph of a seed, reads and disposes of some of it on the way, and sums up what is left. */
function run(seed: number, parameter: Graph['parameter'], reads: Values[]): Scalar {
  const random = new Random(seed);
  const numbers = random.child('numbers');
  const used: Tensor[] = [];
  const graph: Graph = {
    random,
    ties: false,
    tensors: [],
    parameter: (shape, scale) => {
      const made = parameter(shape, scale);
      used.push(made);
      return made;
    },
    noise: (shape) => noise(numbers, shape),
  };
  const [h, w] = [4 + random.int(5), 4 + random.int(5)];
  graph.tensors.push(graph.parameter([2, h, w, 1 + random.int(6)], 1), graph.parameter([2, h, w, 3], 1));
  const length = 4 + random.int(14);
  for (let i = 0; i < length; i++) {
    const x = grow(graph);
    if (random.int(8) === 0) reads.push(read(`read ${i}`, x));
    // The first two are the parameters themselves.
    if (random.int(6) === 0 && graph.tensors.length > 4) {
      const [gone] = graph.tensors.splice(2 + random.int(graph.tensors.length - 3), 1);
      gone.dispose();
    }
  }
  const terms = [...graph.tensors, ...used].map((x) => tf.mean(tf.mul(x, graph.noise(x.shape))));
  return tf.addN(terms) as Scalar;
}

/** The shapes and scales of the parameters that a graph asks for. */
function parametersOf(seed: number): { shape: number[]; scale: number }[] {
  const found: { shape: number[]; scale: number }[] = [];
  tf.tidy(() => {
    run(seed, (shape, scale) => tf.zeros(found[found.push({ shape, scale }) - 1].shape), []);
  });
  return found;
}

/** Everything that a graph gives on the current backend: what was read on the way, the value, and the gradients. */
function results(seed: number, shapes: readonly { shape: number[]; scale: number }[]): Values[] {
  const found: Values[] = [];
  const numbers = new Random(seed).child('parameters');
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    const parameters = shapes.map(({ shape, scale }) => noise(numbers, shape, scale));
    let next = 0;
    const { value, grads } = tf.valueAndGrads((...inputs: Tensor[]) => run(seed, () => inputs[next++], found))(parameters);
    found.push(read('value', value), ...grads.map((gradient, i) => read(`gradient ${i}`, gradient)));
  });
  expect(tf.memory().numTensors, 'tensors left').toBe(before);
  return found;
}

function close(found: Values, expected: Values): void {
  expect(found.shape, expected.name).toEqual(expected.shape);
  const largest = Array.from(expected.values).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-2);
  const worst = Array.from(expected.values).reduce((most, value, i) => Math.max(most, Math.abs(value - found.values[i])), 0);
  expect(worst / largest, `${expected.name} [${expected.shape.join()}]`).toBeLessThan(1e-4);
}

test(`${GRAPHS} random graphs and their gradients agree with tfjs-cpu`, { timeout: 60_000 + 5_000 * GRAPHS }, async () => {
  for (let i = 0; i < GRAPHS; i++) {
    const seed = new Random(SEED).child(i).uint32();
    await selectBackend('cpu');
    const shapes = parametersOf(seed);
    const expected = results(seed, shapes);
    await selectBackend('onnx');
    const found = results(seed, shapes);
    expect(found.length).toBe(expected.length);
    try {
      expected.forEach((values, k) => close(found[k], values));
    } catch (error) {
      throw new Error(`Graph ${i} of seed ${SEED}: ${(error as Error).message}`, { cause: error });
    }
  }
  expect([...fallbacks().keys()]).toEqual([]);
});
