import { type Scalar, type Tensor, memory, scalar, tidy, valueAndGrads } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { add, mul, relu } from './functional.js';
import { type GraphNode, runGraph } from './graph.js';
import { inference } from './module.js';
import { useBackend } from './ops/gradient-check.test-util.js';

const nodes: GraphNode[] = [
  { inputs: [-1], run: ([x]) => mul(x, 3) },
  { inputs: [0], run: ([x]) => x }, // passes its input on
  { inputs: [0, -1], run: ([a, b]) => add(a, b) },
  { inputs: [1, 2], run: ([a, b]) => mul(a, b) },
  { inputs: [3], run: ([x]) => relu(x) },
];

describe('runGraph', () => {
  beforeAll(() => useBackend('cpu'));

  test('gives the results asked for, in their order, and leaves nothing else in memory', () => {
    const before = memory().numTensors;
    const x = scalar(2);
    const results = runGraph(inference, x, nodes, [4, 1, -1, 2]);
    expect(results.map((y) => y.dataSync()[0])).toEqual([48, 6, 2, 8]);
    for (const y of results) y.dispose();
    x.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('frees a result after its last reader, and runs nothing after the last output', () => {
    const x = scalar(2);
    const before = memory().numTensors;
    const alive: number[] = [];
    const watched = nodes.map((node): GraphNode => ({
      ...node,
      run: (inputs, ctx) => (alive.push(memory().numTensors - before), node.run(inputs, ctx)),
    }));
    for (const y of runGraph(inference, x, watched, [3])) y.dispose();
    expect(alive).toEqual([0, 1, 2, 2]);
    x.dispose();
  });

  test('frees everything when a node fails', () => {
    const x = scalar(2);
    const before = memory().numTensors;
    const fail: GraphNode = {
      inputs: [0],
      run: () => {
        throw new Error('no');
      },
    };
    expect(() => runGraph(inference, x, [nodes[0], fail], [1])).toThrow('no');
    expect(memory().numTensors).toBe(before);
    x.dispose();
  });

  test('lets gradients through results that were freed', () => {
    tidy(() => {
      const run = (x: Tensor) => runGraph(inference, x, nodes, [4])[0]; // relu(3x · 4x) = 12x²
      const { grads } = valueAndGrads((x: Tensor) => run(x) as Scalar)([scalar(2)]);
      expect(grads[0].dataSync()[0]).toBeCloseTo(48, 4);
    });
  });
});
