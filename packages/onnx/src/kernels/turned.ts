import { type Slot, constant, raw, reshaped } from '../graph.js';

/** Filters [O, I, kh, kw], each turned by half a turn: its taps in reverse order. */
export function turned(filters: Slot): Slot {
  const [o, i, kh, kw] = filters.dims;
  const taps = kh * kw;
  if (taps === 1) return filters;
  // A product with the mirrored unit matrix: a Slice with a negative step takes three times as long.
  const mirror = new Array<number>(taps * taps).fill(0);
  for (let tap = 0; tap < taps; tap++) mirror[tap * taps + taps - 1 - tap] = 1;
  const product = raw('MatMul', [reshaped(filters, [o * i, taps]), constant(mirror, [taps, taps])], [o * i, taps]);
  return reshaped(product, filters.dims);
}
