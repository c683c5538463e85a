import { type Code, type Lanes, type Local, type Locals, constant, increase, single, vector, whileAtLeast } from './assembler.js';

/** A loop over the channels: tiles of `widths` vectors, then one by one. `pointers` follow. */
export function overChannels(
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

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Runs `body` at every place of a plane whose pointers move as `outerProducts` says. */
export function overPlane(l: Locals, pointers: readonly ['x' | 'dy' | 'out', Local][], body: Code): Code {
  const [row, column] = [l.get('row'), l.get('column')];
  const move = (axis: 'Row' | 'Column') => pointers.map(([name, pointer]) => increase(pointer, l.get(name + axis).get));
  const columns: Code = [column.set(l.get('columns').get), whileAtLeast(column, 1, [body, move('Column')])];
  return [row.set(l.get('rows').get), whileAtLeast(row, 1, [columns, move('Row')])];
}
