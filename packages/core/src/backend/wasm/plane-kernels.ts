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
import { overChannels, overPlane, range } from './loops.js';

/** Loops over the places of an image, or of a part of one. `SimdKernels` says what each computes. */

const plane = ['rows', 'columns', 'xRow', 'xColumn', 'dyRow', 'dyColumn'];

export const outerProducts: FunctionSource = {
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

export const products: FunctionSource = {
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

export const copy: FunctionSource = {
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
