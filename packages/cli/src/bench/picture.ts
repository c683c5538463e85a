import type { GroupMark, Spec } from 'vega';
import { blue, ink, orange, renderSvg } from '../pictures/theme.js';
import type { Row } from './measure.js';

const width = 420;
const barHeight = 20;

/** Images a second of each engine, a panel for each work, as SVG; convkit's bars stand out. */
export function benchSvg(subtitle: string, rows: readonly Row[]): Promise<string> {
  const works = [...new Set(rows.map(({ work }) => work))];
  const spec: Spec = {
    padding: 16,
    title: { text: 'Images a second', subtitle, anchor: 'start', frame: 'group', offset: 16 },
    layout: { columns: 1, padding: { row: 26 }, bounds: 'full', align: 'each' },
    data: [
      {
        name: 'rows',
        values: rows.map(({ work, engine, itemsPerSecond, ratio }) => ({
          work,
          engine,
          rate: itemsPerSecond,
          label: `${Number(itemsPerSecond.toPrecision(3))}  (×${Number(ratio.toPrecision(2))})`,
          colour: engine.startsWith('convkit') ? orange : blue,
        })),
      },
    ],
    marks: works.map((work) => panel(work, rows.filter((row) => row.work === work).length)),
  };
  return renderSvg(spec);
}

function panel(work: string, engines: number): GroupMark {
  const height = engines * barHeight;
  return {
    type: 'group',
    encode: { enter: { width: { value: width }, height: { value: height } } },
    title: { text: work, anchor: 'start', frame: 'group', fontSize: 12, offset: 6 },
    data: [{ name: 'shown', source: 'rows', transform: [{ type: 'filter', expr: `datum.work === ${JSON.stringify(work)}` }] }],
    scales: [
      { name: 'x', type: 'linear', domain: { data: 'shown', field: 'rate' }, range: [0, width - 90], zero: true, nice: true },
      { name: 'y', type: 'band', domain: { data: 'shown', field: 'engine' }, range: [0, height], padding: 0.2 },
    ],
    axes: [{ orient: 'left', scale: 'y', ticks: false, labelLimit: 240 }],
    marks: [
      {
        type: 'rect',
        from: { data: 'shown' },
        encode: {
          enter: {
            x: { value: 0 },
            x2: { scale: 'x', field: 'rate' },
            y: { scale: 'y', field: 'engine' },
            height: { scale: 'y', band: 1 },
            fill: { field: 'colour' },
          },
        },
      },
      {
        type: 'text',
        from: { data: 'shown' },
        encode: {
          enter: {
            x: { scale: 'x', field: 'rate', offset: 5 },
            y: { scale: 'y', field: 'engine', band: 0.5 },
            baseline: { value: 'middle' },
            text: { field: 'label' },
            fill: { value: ink },
            fontSize: { value: 11 },
          },
        },
      },
    ],
  };
}
