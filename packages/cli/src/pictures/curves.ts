import type { EpochRecord } from '@convkit/core/train';
import type { GroupMark, Spec } from 'vega';
import { blue, ink, orange, renderSvg } from './theme.js';

const width = 560;

/** From this many epochs on, lines have no dots. */
const MANY_EPOCHS = 60;

/** Loss, top-1 accuracy or average precision, and learning rate over the epochs, one panel each, as SVG. */
export function curvesSvg(
  title: string,
  points: readonly Pick<EpochRecord, 'epoch' | 'learningRate' | 'train' | 'validation'>[],
): Promise<string> {
  const rows = points.flatMap(({ epoch, train, validation }) => [
    { epoch, run: 'train', ...train },
    ...(validation ? [{ epoch, run: 'validation', ...validation }] : []),
  ]);
  const shares = points.some(({ validation }) => validation?.ap !== undefined)
    ? [
        { field: 'ap50', title: 'AP at IoU 0.5 (%)' },
        { field: 'ap', title: 'AP at IoU 0.5 … 0.95 (%)' },
      ]
    : [{ field: 'top1', title: 'top-1 accuracy (%)' }];
  const dots = points.length < MANY_EPOCHS;
  const rates = points.map(({ epoch, learningRate }) => ({ epoch, rate: learningRate }));
  const spec: Spec = {
    width,
    padding: 16,
    title: { text: title, anchor: 'start', frame: 'group', offset: 12 },
    layout: { columns: 1, padding: { row: 28 }, bounds: 'full', align: 'each' },
    data: [
      { name: 'points', values: rows },
      { name: 'rates', values: rates },
    ],
    scales: [
      { name: 'x', type: 'linear', domain: { data: 'rates', field: 'epoch' }, range: [0, width], zero: false, nice: false },
      {
        name: 'run',
        type: 'ordinal',
        domain: points.some((point) => point.validation) ? ['train', 'validation'] : ['train'],
        range: [blue, orange],
      },
    ],
    legends: [{ stroke: 'run', symbolType: 'stroke', orient: 'top', direction: 'horizontal', offset: 4 }],
    marks: [
      panel({ field: 'loss', title: 'loss', dots }),
      ...shares.map((share) => panel({ ...share, percent: true, dots })),
      ratePanel(points.length),
    ],
  };
  return renderSvg(spec);
}

const epochAxis = (last: boolean): NonNullable<GroupMark['axes']>[number] => ({
  orient: 'bottom',
  scale: 'x',
  grid: true,
  tickMinStep: 1,
  format: 'd',
  ...(last ? { title: 'epoch' } : {}),
});

function panel(options: { field: string; title: string; percent?: boolean; dots: boolean }): GroupMark {
  const { field, title, percent, dots } = options;
  const height = 190;
  const y = percent ? { signal: `scale('y', datum.${field} * 100)` } : { scale: 'y', field };
  const defined = { signal: `isValid(datum.${field}) && isFinite(datum.${field})` };
  return {
    type: 'group',
    encode: { enter: { width: { value: width }, height: { value: height } } },
    data: [
      {
        name: 'shown',
        source: 'points',
        transform: [{ type: 'formula', as: 'shown', expr: percent ? `datum.${field} * 100` : `datum.${field}` }],
      },
    ],
    scales: [
      { name: 'y', type: 'linear', domain: { data: 'shown', field: 'shown' }, range: [height, 0], zero: false, nice: true },
    ],
    axes: [epochAxis(false), { orient: 'left', scale: 'y', grid: true, title, tickCount: 5 }],
    marks: [
      {
        type: 'group',
        from: { facet: { name: 'series', data: 'points', groupby: 'run' } },
        marks: [
          {
            type: 'line',
            from: { data: 'series' },
            encode: {
              enter: {
                x: { scale: 'x', field: 'epoch' },
                y,
                defined,
                stroke: { scale: 'run', field: 'run' },
                strokeWidth: { value: 2 },
              },
            },
          },
          {
            type: 'symbol',
            from: { data: 'series' },
            encode: {
              enter: {
                x: { scale: 'x', field: 'epoch' },
                y,
                fill: { scale: 'run', field: 'run' },
                size: { value: dots ? 18 : 0 },
              },
            },
          },
        ],
      },
    ],
  };
}

function ratePanel(epochs: number): GroupMark {
  const height = 90;
  return {
    type: 'group',
    encode: { enter: { width: { value: width }, height: { value: height } } },
    scales: [{ name: 'y', type: 'linear', domain: { data: 'rates', field: 'rate' }, range: [height, 0], zero: true, nice: true }],
    axes: [epochAxis(true), { orient: 'left', scale: 'y', grid: true, title: 'learning rate', tickCount: 3, format: '~g' }],
    marks: [
      {
        type: epochs === 1 ? 'symbol' : 'line',
        from: { data: 'rates' },
        encode: {
          enter: {
            x: { scale: 'x', field: 'epoch' },
            y: { scale: 'y', field: 'rate' },
            ...(epochs === 1
              ? { fill: { value: ink }, size: { value: 18 } }
              : { stroke: { value: ink }, strokeWidth: { value: 2 } }),
          },
        },
      },
    ],
  };
}
