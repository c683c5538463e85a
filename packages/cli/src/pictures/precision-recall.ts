import type { PrecisionRecallCurve } from '@convkit/core/detection';
import type { ColorValueRef, Mark, Spec } from 'vega';
import { blue, renderSvg } from './theme.js';

const side = 420;

/** Above this many classes their curves are thin lines without names. */
const MOST_NAMED = 8;

/** Precision over recall at IoU .50, a thin line for each class and a thick one for their mean, as SVG. */
export function precisionRecallSvg(options: {
  title: string;
  subtitle: string;
  curves: readonly PrecisionRecallCurve[];
}): Promise<string> {
  const { title, subtitle, curves } = options;
  const points = curves[0]?.precision.length ?? 0;
  const at = (i: number): number => i / Math.max(1, points - 1);
  const rows = curves.flatMap(({ label, precision }) =>
    Array.from(precision, (value, i) => ({ label, recall: at(i), precision: value })),
  );
  const mean = Array.from({ length: points }, (_, i) => ({
    recall: at(i),
    precision: curves.reduce((sum, { precision }) => sum + precision[i], 0) / curves.length,
  }));
  const named = curves.length <= MOST_NAMED;
  const line = (colour: ColorValueRef, width: number, opacity: number) => ({
    enter: {
      x: { scale: 'x', field: 'recall' },
      y: { scale: 'y', field: 'precision' },
      stroke: colour,
      strokeWidth: { value: width },
      strokeOpacity: { value: opacity },
    },
  });
  const marks: Mark[] = [
    {
      type: 'group',
      from: { facet: { name: 'class', data: 'curves', groupby: 'label' } },
      marks: [
        {
          type: 'line',
          from: { data: 'class' },
          encode: line(named ? { scale: 'label', field: 'label' } : { value: '#888' }, named ? 1.5 : 1, named ? 0.9 : 0.35),
        },
      ],
    },
    { type: 'line', from: { data: 'mean' }, encode: line({ value: blue }, 3, 1) },
  ];
  const labels = curves.map(({ label }) => label);
  const spec: Spec = {
    width: side,
    height: side,
    padding: 16,
    title: { text: title, subtitle, anchor: 'start', frame: 'group', offset: 14, subtitlePadding: 6 },
    data: [
      { name: 'curves', values: rows },
      { name: 'mean', values: mean },
    ],
    scales: [
      { name: 'x', type: 'linear', domain: [0, 1], range: 'width' },
      { name: 'y', type: 'linear', domain: [0, 1], range: 'height' },
      { name: 'label', type: 'ordinal', domain: labels, range: { scheme: 'tableau10' } },
      {
        name: 'lines',
        type: 'ordinal',
        domain: ['mean', 'a class'],
        range: [blue, '#bbb'],
      },
    ],
    axes: [
      { orient: 'bottom', scale: 'x', grid: true, title: 'recall', tickCount: 5 },
      { orient: 'left', scale: 'y', grid: true, title: 'precision at IoU 0.50', tickCount: 5 },
    ],
    legends: [
      ...(named ? [{ stroke: 'label', symbolType: 'stroke' as const, title: 'class' }] : []),
      { stroke: 'lines', symbolType: 'stroke', values: named ? ['mean'] : undefined },
    ],
    marks,
  };
  return renderSvg(spec);
}
