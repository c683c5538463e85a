import type { GroupMark, Spec } from 'vega';
import { blue, ink, orange, renderSvg } from './theme.js';

interface Point {
  readonly model: string;
  readonly parameters: number;
  readonly latencyMs: { readonly batch1: number };
  readonly top1?: number;
}

const width = 560;
const height = 250;

/** Accuracy, where it is known, and latency of models against their parameters, one panel each, as SVG. */
export function tradeoffsSvg(title: string, backend: string, models: readonly Point[]): Promise<string> {
  const parameters = models.map((model) => model.parameters);
  const values = models.map(({ model, parameters: x, latencyMs, top1 }) => ({
    model,
    parameters: x,
    latency: latencyMs.batch1,
    top1: top1 === undefined ? null : 100 * top1,
  }));
  const judged = models.some(({ top1 }) => top1 !== undefined);
  const spec: Spec = {
    width,
    padding: 16,
    title: { text: title, anchor: 'start', frame: 'group', offset: 12 },
    layout: { columns: 1, padding: { row: 28 }, bounds: 'full', align: 'each' },
    data: [{ name: 'models', values }],
    scales: [
      {
        name: 'x',
        type: 'log',
        domain: [Math.min(...parameters) / 1.25, Math.max(...parameters) * 1.25],
        range: [0, width],
        nice: false,
      },
    ],
    marks: [
      ...(judged ? [panel({ field: 'top1', title: 'top-1 accuracy (%)', colour: blue, last: false })] : []),
      panel({ field: 'latency', title: `ms an image, ${backend}`, colour: orange, last: true }),
    ],
  };
  return renderSvg(spec);
}

function panel({ field, title, colour, last }: { field: string; title: string; colour: string; last: boolean }): GroupMark {
  const zero = field === 'latency';
  const place = { x: { scale: 'x', field: 'parameters' }, y: { scale: 'y', field } };
  return {
    type: 'group',
    encode: { enter: { width: { value: width }, height: { value: height } } },
    data: [{ name: 'shown', source: 'models', transform: [{ type: 'filter', expr: `isValid(datum.${field})` }] }],
    scales: [{ name: 'y', type: 'linear', domain: { data: 'shown', field }, range: [height - 12, 24], zero, nice: true }],
    axes: [
      {
        orient: 'bottom',
        scale: 'x',
        grid: true,
        format: '.2~s',
        tickCount: 6,
        labelOverlap: true,
        ...(last ? { title: 'parameters' } : {}),
      },
      { orient: 'left', scale: 'y', grid: true, title, tickCount: 5 },
    ],
    marks: [
      {
        type: 'symbol',
        from: { data: 'shown' },
        encode: { enter: { ...place, fill: { value: colour }, size: { value: 60 } } },
      },
      {
        type: 'text',
        from: { data: 'shown' },
        encode: {
          enter: {
            ...place,
            text: { field: 'model' },
            dy: { value: -9 },
            align: { signal: `scale('x', datum.parameters) > ${width - 80} ? 'right' : 'center'` },
            fill: { value: ink },
            fontSize: { value: 11 },
          },
        },
      },
    ],
  };
}
