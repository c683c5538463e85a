import {
  type Code,
  type FunctionSource,
  type Lanes,
  type Local,
  type Locals,
  assemble,
  constant,
  increase,
  single,
  times,
  vector,
  whileAtLeast,
} from './assembler.js';

/**
 * The loops in which training spends its time and that XNNPACK does not have. Arguments are addresses, counts, and distances
 * in bytes; arrays are [rows, channels].
 */
export interface SimdKernels {
  /**
   * out[i][j] += Σ x[i] · dy[j] over rows × columns places, i < cin, j < cout: one tap of a convolution's filter gradient.
   * `xColumn` and `dyColumn` lead to the next place, `xRow` and `dyRow` from behind a row to the next.
   */
  outerProducts(
    x: number,
    dy: number,
    out: number,
    rows: number,
    columns: number,
    xRow: number,
    xColumn: number,
    dyRow: number,
    dyColumn: number,
    cin: number,
    cout: number,
    outRow: number,
  ): void;
  /** out[c] += Σ x[c] · dy[c] over rows × columns places: the same for a depthwise convolution. */
  products(
    x: number,
    dy: number,
    out: number,
    rows: number,
    columns: number,
    xRow: number,
    xColumn: number,
    dyRow: number,
    dyColumn: number,
    channels: number,
  ): void;
  /** out[c] = x[c] at rows × columns places. */
  copy(
    x: number,
    out: number,
    rows: number,
    columns: number,
    xRow: number,
    xColumn: number,
    outRow: number,
    outColumn: number,
    channels: number,
  ): void;
  /** sum[c] = Σ (x − shift[c]), squares[c] = Σ (x − shift[c])². */
  moments(x: number, shift: number, sum: number, squares: number, rows: number, channels: number): void;
  /** sum[c] = Σ dy, correlation[c] = Σ dy · (x − shift[c]). */
  correlations(dy: number, x: number, shift: number, sum: number, correlation: number, rows: number, channels: number): void;
  /** out = a[c] · x + b[c]. */
  affine(x: number, a: number, b: number, out: number, rows: number, channels: number): void;
  /** out = a[c] · dy + b[c] · x + c[c]. */
  affinePair(dy: number, x: number, a: number, b: number, c: number, out: number, rows: number, channels: number): void;
  /** out = y > 0 ? dy : 0. */
  reluGradient(dy: number, y: number, out: number, count: number): void;
}

/** The kernels on a memory; undefined where the engine has no SIMD. */
export function simdKernels(memory: WebAssembly.Memory): SimdKernels | undefined {
  const shared = typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer;
  const bytes = assemble(sources, shared);
  if (!WebAssembly.validate(bytes)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return exports as unknown as SimdKernels;
}

/** A loop over the channels: tiles of `widths` vectors, then one by one. `pointers` follow. */
function overChannels(
  l: Locals,
  widths: readonly number[],
  pointers: readonly Local[],
  tile: (lanes: Lanes, width: number) => Code,
): Code {
  const left = l.get('left');
  const step = (lanes: Lanes, width: number): Code => {
    const body = [tile(lanes, width), pointers.map((pointer) => increase(pointer, constant(lanes.bytes * width)))];
    return whileAtLeast(left, (lanes.bytes / 4) * width, body);
  };
  return [left.set(l.get('channels').get), widths.map((width) => step(vector, width)), step(single, 1)];
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Runs `body` at every place of a plane whose pointers move as `outerProducts` says. */
function overPlane(l: Locals, pointers: readonly ['x' | 'dy' | 'out', Local][], body: Code): Code {
  const [row, column] = [l.get('row'), l.get('column')];
  const move = (axis: 'Row' | 'Column') => pointers.map(([name, pointer]) => increase(pointer, l.get(name + axis).get));
  const columns: Code = [column.set(l.get('columns').get), whileAtLeast(column, 1, [body, move('Column')])];
  return [row.set(l.get('rows').get), whileAtLeast(row, 1, [columns, move('Row')])];
}

const plane = ['rows', 'columns', 'xRow', 'xColumn', 'dyRow', 'dyColumn'];

const outerProducts: FunctionSource = {
  name: 'outerProducts',
  parameters: ['x', 'dy', 'out', ...plane, 'cin', 'cout', 'outRow'],
  body(l) {
    const [x, dy, out, dyTile, outTile, px, pd, po] = ['x', 'dy', 'out', 'dyTile', 'outTile', 'px', 'pd', 'po'].map((name) =>
      l.get(name),
    ) as [Local, Local, Local, Local, Local, Local, Local, Local];
    const outRow = l.get('outRow').get;
    const tile = (depth: number, lanes: Lanes, width: number): Code => {
      const sums = range(depth).map((i) => range(width).map((j) => l.get(`sum${i},${j}`, lanes.type)));
      const gradient = range(width).map((j) => l.get(`gradient${j}`, lanes.type));
      const value = l.get('value', lanes.type);
      const place: Code = [
        gradient.map((local, j) => local.set(lanes.load(pd.get, j * lanes.bytes))),
        sums.map((row, i) => [
          value.set(lanes.loadSplat(px.get, 4 * i)),
          row.map((sum, j) => sum.set(lanes.add(sum.get, lanes.mul(value.get, gradient[j].get)))),
        ]),
      ];
      const overRows = (each: (sum: Local, offset: number) => Code): Code => [
        po.set(outTile.get),
        sums.map((row) => [row.map((sum, j) => each(sum, j * lanes.bytes)), increase(po, outRow)]),
      ];
      return [
        sums.map((row) => row.map((sum) => sum.set(lanes.zero))),
        px.set(x.get),
        pd.set(dyTile.get),
        overPlane(
          l,
          [
            ['x', px],
            ['dy', pd],
          ],
          place,
        ),
        overRows((sum, offset) => lanes.store(po.get, lanes.add(lanes.load(po.get, offset), sum.get), offset)),
        increase(dyTile, constant(lanes.bytes * width)),
        increase(outTile, constant(lanes.bytes * width)),
      ];
    };
    const [cinLeft, coutLeft] = [l.get('cinLeft'), l.get('coutLeft')];
    const strip = (depth: number): Code =>
      whileAtLeast(cinLeft, depth, [
        coutLeft.set(l.get('cout').get),
        dyTile.set(dy.get),
        outTile.set(out.get),
        whileAtLeast(coutLeft, 8, tile(depth, vector, 2)),
        whileAtLeast(coutLeft, 4, tile(depth, vector, 1)),
        whileAtLeast(coutLeft, 1, tile(depth, single, 1)),
        increase(x, constant(4 * depth)),
        increase(out, times(outRow, constant(depth))),
      ]);
    return [cinLeft.set(l.get('cin').get), [4, 3, 1].map(strip)];
  },
};

const products: FunctionSource = {
  name: 'products',
  parameters: ['x', 'dy', 'out', ...plane, 'channels'],
  body(l) {
    const [x, dy, out, px, pd] = ['x', 'dy', 'out', 'px', 'pd'].map((name) => l.get(name)) as [Local, Local, Local, Local, Local];
    return overChannels(l, [4, 1], [x, dy, out], (lanes, width) => {
      const sums = range(width).map((j) => l.get(`sum${j}`, lanes.type));
      const place = sums.map((sum, j) =>
        sum.set(lanes.add(sum.get, lanes.mul(lanes.load(px.get, j * lanes.bytes), lanes.load(pd.get, j * lanes.bytes)))),
      );
      return [
        sums.map((sum) => sum.set(lanes.zero)),
        px.set(x.get),
        pd.set(dy.get),
        overPlane(
          l,
          [
            ['x', px],
            ['dy', pd],
          ],
          place,
        ),
        sums.map((sum, j) => lanes.store(out.get, lanes.add(lanes.load(out.get, j * lanes.bytes), sum.get), j * lanes.bytes)),
      ];
    });
  },
};

const copy: FunctionSource = {
  name: 'copy',
  parameters: ['x', 'out', 'rows', 'columns', 'xRow', 'xColumn', 'outRow', 'outColumn', 'channels'],
  body(l) {
    const [x, out, px, po] = ['x', 'out', 'px', 'po'].map((name) => l.get(name)) as [Local, Local, Local, Local];
    const pixel = overChannels(l, [4, 1], [px, po], (lanes, width) =>
      range(width).map((j) => lanes.store(po.get, lanes.load(px.get, j * lanes.bytes), j * lanes.bytes)),
    );
    return overPlane(
      l,
      [
        ['x', x],
        ['out', out],
      ],
      [px.set(x.get), po.set(out.get), pixel],
    );
  },
};

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
const moments = channelSums('moments', ['x'], ['sum', 'squares'], (lanes, [x], shift, keep) => [
  [keep.set(lanes.sub(x, shift)), keep.get],
  lanes.mul(keep.get, keep.get),
]);

const correlations = channelSums('correlations', ['dy', 'x'], ['sum', 'correlation'], (lanes, [dy, x], shift, keep) => [
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

const affine = perChannel('affine', ['x'], ['a', 'b'], (lanes, [x], [a, b]) => lanes.add(lanes.mul(a, x), b));

const affinePair = perChannel('affinePair', ['dy', 'x'], ['a', 'b', 'c'], (lanes, [dy, x], [a, b, c]) =>
  lanes.add(lanes.add(lanes.mul(a, dy), lanes.mul(b, x)), c),
);

const reluGradient: FunctionSource = {
  name: 'reluGradient',
  parameters: ['dy', 'y', 'out', 'count'],
  body(l) {
    const [dy, y, out, count] = ['dy', 'y', 'out', 'count'].map((name) => l.get(name)) as [Local, Local, Local, Local];
    const step = (lanes: Lanes): Code =>
      whileAtLeast(count, lanes.bytes / 4, [
        lanes.store(out.get, lanes.wherePositive(lanes.load(dy.get), lanes.load(y.get))),
        [dy, y, out].map((pointer) => increase(pointer, constant(lanes.bytes))),
      ]);
    return [step(vector), step(single)];
  },
};

const sources: readonly FunctionSource[] = [
  outerProducts,
  products,
  copy,
  moments,
  correlations,
  affine,
  affinePair,
  reluGradient,
];
