import type { Row } from './measure.js';

/** Largest relative difference of engines that compute the same: of outputs, and of the loss after one step. */
const TOLERANCE = 2e-3;

/** A sentence for each engine whose results are not those of the work's reference: its speed means nothing. */
export function disagreements(rows: readonly Row[]): string[] {
  return rows.flatMap(({ work, engine, reference, values }) => {
    const expected = rows.find((row) => row.work === work && row.engine === reference)?.values ?? values;
    const differs = values.some((value, i) => !(Math.abs(value - expected[i]) <= TOLERANCE * Math.abs(expected[i])));
    if (!differs) return [];
    const list = (numbers: readonly number[]): string => numbers.map((value) => value.toPrecision(5)).join(', ');
    return [`${work}: ${engine} gives ${list(values)} where ${reference} gives ${list(expected)}`];
  });
}
