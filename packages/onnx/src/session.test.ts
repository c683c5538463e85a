import { expect, test } from 'vitest';
import { Slot, constant, raw, table } from './graph.js';
import { collect } from './program.js';
import { Sessions, modelOf } from './session.js';

const leaf = (...values: number[]) => new Slot('float32', [values.length], { data: Float32Array.from(values) });

/** x · factor, where the factor is part of the graph. */
function scaled(sessions: Sessions, factor: number, x: Slot): number[] {
  const y = raw('Mul', [x, constant(factor)], x.dims);
  sessions.run([y]);
  return [...y.data!];
}

test('a graph of the same structure is replayed with other values', () => {
  const sessions = new Sessions();
  expect(scaled(sessions, 2, leaf(1, 2, 3))).toEqual([2, 4, 6]);
  expect(scaled(sessions, 2, leaf(4, 5, 6))).toEqual([8, 10, 12]);
  expect(sessions.statistics).toMatchObject({ runs: 2, compiled: 1, cached: 1 });
  expect(scaled(sessions, 2, leaf(1, 2))).toEqual([2, 4]);
  expect(scaled(sessions, 3, leaf(1, 2))).toEqual([3, 6]);
  expect(sessions.statistics).toMatchObject({ runs: 4, compiled: 3, cached: 3 });
  sessions.dispose();
});

test('the graph that was not used for longest goes when there are more than the limit', () => {
  const sessions = new Sessions(2);
  for (const factor of [1, 2, 1, 3, 1]) scaled(sessions, factor, leaf(1));
  expect(sessions.statistics).toMatchObject({ compiled: 3, cached: 2 });
  scaled(sessions, 2, leaf(1));
  expect(sessions.statistics).toMatchObject({ compiled: 4, cached: 2 });
  sessions.dispose();
});

test('graphs go when together they could take more memory than the limit; the newest stays', () => {
  const sessions = new Sessions(64, 10 * 4);
  for (const factor of [1, 2, 3]) scaled(sessions, factor, leaf(1, 2, 3, 4));
  expect(sessions.statistics.cached).toBe(2);
  scaled(sessions, 4, leaf(...new Array<number>(100).fill(1)));
  expect(sessions.statistics.cached).toBe(1);
  sessions.dispose();
});

test('what nothing asks for is not computed', () => {
  const sessions = new Sessions();
  const x = leaf(1, 2);
  raw('Mul', [x, leaf(1, 2, 3)], [2]); // would fail
  expect(scaled(sessions, 5, x)).toEqual([5, 10]);
  sessions.dispose();
});

test("a step's inputs have no dimensions in the graph, so that ONNX Runtime keeps no result's memory for a later one", () => {
  const { inputs, outputs } = modelOf(collect([raw('Mul', [leaf(1, 2), constant(2)], [2])]));
  expect(inputs).toEqual([{ name: expect.any(String) as string, dtype: 'float32' }]);
  expect(outputs[0].dims).toEqual([2]);
});

test('the values of a table are made when a graph is loaded, and kept by nothing', () => {
  const sessions = new Sessions();
  let made = 0;
  const weights = () => table('weights of this test', [2], 'float32', () => (made++, [3, 4]));
  const product = (x: Slot): number[] => {
    const y = raw('Mul', [x, weights()], [2]);
    sessions.run([y]);
    return [...y.data!];
  };
  expect(product(leaf(1, 2))).toEqual([3, 8]);
  expect(product(leaf(2, 2))).toEqual([6, 8]);
  expect(made).toBe(1);
  sessions.dispose();
});
