import {
  type Code,
  type FunctionSource,
  type Lanes,
  type Local,
  constant,
  increase,
  single,
  times,
  vector,
  whileAtLeast,
} from './assembler.js';
import { overChannels, range } from './loops.js';

/** Loops over arrays [rows, channels]. `SimdKernels` says what each computes. */

/** Two sums per channel over all rows, of terms in the values at one place. */
function channelSums(
  name: string,
  arrays: readonly string[],
  results: readonly [string, string],
  terms: (lanes: Lanes, values: readonly Code[], shift: Code, keep: Local) => readonly [first: Code, second: Code],
): FunctionSource {
  return {
    name,
    parameters: [...arrays, 'shift', ...results, 'rows', 'channels'],
    body(l) {
      const [row, pitch] = [l.get('row'), l.get('pitch')];
      const shift = l.get('shift');
      const outputs = results.map((result) => l.get(result));
      const [inputs, moving] = [arrays.map((array) => l.get(array)), arrays.map((array) => l.get(`${array}Moving`))];
      const loop = overChannels(l, [4, 1], [...inputs, shift, ...outputs], (lanes, width) => {
        const groups = range(width).map((j) => ({
          offset: j * lanes.bytes,
          sums: results.map((result) => l.get(`${result}${j}`, lanes.type)),
          shift: l.get(`shift${j}`, lanes.type),
        }));
        const keep = l.get('keep', lanes.type);
        const place = groups.map((group) => {
          const values = moving.map((pointer) => lanes.load(pointer.get, group.offset));
          return terms(lanes, values, group.shift.get, keep).map((term, i) => {
            const sum = group.sums[i];
            return sum.set(lanes.add(sum.get, term));
          });
        });
        return [
          groups.map((group) => [
            group.shift.set(lanes.load(shift.get, group.offset)),
            group.sums.map((sum) => sum.set(lanes.zero)),
          ]),
          moving.map((pointer, i) => pointer.set(inputs[i].get)),
          row.set(l.get('rows').get),
          whileAtLeast(row, 1, [place, moving.map((pointer) => increase(pointer, pitch.get))]),
          groups.map((group) => group.sums.map((sum, i) => lanes.store(outputs[i].get, sum.get, group.offset))),
        ];
      });
      return [pitch.set(times(l.get('channels').get, constant(4))), loop];
    },
  };
}

/** `keep` is set in the first term and used in the second. */
export const moments = channelSums('moments', ['x'], ['sum', 'squares'], (lanes, [x], shift, keep) => [
  [keep.set(lanes.sub(x, shift)), keep.get],
  lanes.mul(keep.get, keep.get),
]);

export const correlations = channelSums('correlations', ['dy', 'x'], ['sum', 'correlation'], (lanes, [dy, x], shift, keep) => [
  [keep.set(dy), keep.get],
  lanes.mul(keep.get, lanes.sub(x, shift)),
]);

/** out = value of the arrays at each place and of the coefficients of its channel. */
function perChannel(
  name: string,
  arrays: readonly string[],
  coefficients: readonly string[],
  value: (lanes: Lanes, arrays: readonly Code[], coefficients: readonly Code[]) => Code,
): FunctionSource {
  return {
    name,
    parameters: [...arrays, ...coefficients, 'out', 'rows', 'channels'],
    body(l) {
      const [out, row] = [l.get('out'), l.get('rows')];
      const inputs = arrays.map((array) => l.get(array));
      const moving = coefficients.map((coefficient) => l.get(`${coefficient}Moving`));
      const restart = moving.map((pointer, i) => pointer.set(l.get(coefficients[i]).get));
      const body = overChannels(l, [1], [...inputs, ...moving, out], (lanes) => {
        const load = (pointer: Local): Code => lanes.load(pointer.get);
        return lanes.store(out.get, value(lanes, inputs.map(load), moving.map(load)));
      });
      return whileAtLeast(row, 1, [restart, body]);
    },
  };
}

export const affine = perChannel('affine', ['x'], ['a', 'b'], (lanes, [x], [a, b]) => lanes.add(lanes.mul(a, x), b));

export const affinePair = perChannel('affinePair', ['dy', 'x'], ['a', 'b', 'c'], (lanes, [dy, x], [a, b, c]) =>
  lanes.add(lanes.add(lanes.mul(a, dy), lanes.mul(b, x)), c),
);

/** out = value of the arrays at each place. */
function perPlace(
  name: string,
  arrays: readonly string[],
  value: (lanes: Lanes, arrays: readonly Code[]) => Code,
): FunctionSource {
  return {
    name,
    parameters: [...arrays, 'out', 'count'],
    body(l) {
      const [inputs, out, count] = [arrays.map((array) => l.get(array)), l.get('out'), l.get('count')];
      const step = (lanes: Lanes): Code => {
        const loaded = inputs.map((pointer) => lanes.load(pointer.get));
        return whileAtLeast(count, lanes.bytes / 4, [
          lanes.store(out.get, value(lanes, loaded)),
          [...inputs, out].map((pointer) => increase(pointer, constant(lanes.bytes))),
        ]);
      };
      return [step(vector), step(single)];
    },
  };
}

export const reluGradient = perPlace('reluGradient', ['dy', 'y'], (lanes, [dy, y]) => lanes.wherePositive(dy, y));

export const siluGradient = perPlace('siluGradient', ['dy', 'x', 's'], (lanes, [dy, x, s]) =>
  lanes.mul(lanes.mul(dy, s), lanes.add(lanes.mul(x, lanes.sub(lanes.one, s)), lanes.one)),
);
