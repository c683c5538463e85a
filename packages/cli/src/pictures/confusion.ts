import type { Mark, Spec } from 'vega';
import { ink, renderSvg } from './theme.js';

/** Counts above this many classes are left out of the cells: they would not be readable. */
const MOST_CLASSES_WITH_COUNTS = 25;

/** A confusion matrix as SVG: a row for each true class, a column for each predicted one, coloured by the share of the row. */
export function confusionSvg(options: {
  title: string;
  subtitle?: string;
  classes: readonly string[];
  counts: readonly (readonly number[])[];
}): Promise<string> {
  const { title, subtitle, classes, counts } = options;
  const n = classes.length;
  const cell = n <= 12 ? 46 : n <= MOST_CLASSES_WITH_COUNTS ? 30 : Math.max(4, Math.floor(720 / n));
  const side = cell * n;
  const fontSize = cell >= 40 ? 12 : 9;
  const names = n <= 60;
  const values = counts.flatMap((row, actual) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, predicted) => ({ actual, predicted, count, share: total > 0 ? count / total : 0 }));
  });
  const indices = classes.map((_, index) => index);
  const axis = {
    labelOverlap: !names,
    ticks: false,
    domain: false,
    labelPadding: 6,
    encode: { labels: { update: { text: { signal: 'labels[datum.value]' } } } },
  };
  const marks: Mark[] = [
    {
      type: 'rect',
      from: { data: 'cells' },
      encode: {
        enter: {
          x: { scale: 'x', field: 'predicted' },
          y: { scale: 'y', field: 'actual' },
          width: { scale: 'x', band: 1 },
          height: { scale: 'y', band: 1 },
          fill: { scale: 'share', field: 'share' },
          stroke: { value: '#fff' },
          strokeWidth: { value: cell > 12 ? 1 : 0 },
        },
      },
    },
  ];
  if (n <= MOST_CLASSES_WITH_COUNTS) {
    marks.push({
      type: 'text',
      from: { data: 'cells' },
      encode: {
        enter: {
          x: { scale: 'x', field: 'predicted', band: 0.5 },
          y: { scale: 'y', field: 'actual', band: 0.5 },
          text: { signal: "datum.count > 0 ? format(datum.count, 'd') : ''" },
          align: { value: 'center' },
          baseline: { value: 'middle' },
          fontSize: { value: fontSize },
          fill: { signal: `datum.share > 0.6 ? '#fff' : '${ink}'` },
        },
      },
    });
  }
  const spec: Spec = {
    width: side,
    height: side,
    padding: 16,
    title: { text: title, ...(subtitle ? { subtitle } : {}), anchor: 'start', frame: 'group', offset: 14, subtitlePadding: 6 },
    signals: [{ name: 'labels', value: [...classes] }],
    data: [{ name: 'cells', values }],
    scales: [
      { name: 'x', type: 'band', domain: indices, range: 'width' },
      { name: 'y', type: 'band', domain: indices, range: 'height' },
      { name: 'share', type: 'linear', domain: [0, 0.5, 1], range: ['#f5f8fc', '#6aaed6', '#08519c'], clamp: true },
    ],
    axes: [
      {
        ...axis,
        orient: 'bottom',
        scale: 'x',
        title: 'predicted class',
        titlePadding: 10,
        labelAngle: -45,
        labelAlign: 'right',
        labelBaseline: 'middle',
      },
      { ...axis, orient: 'left', scale: 'y', title: 'true class', titlePadding: 10 },
    ],
    legends: [
      {
        fill: 'share',
        title: ['share of', 'true class'],
        type: 'gradient',
        format: '.0%',
        values: [0, 0.5, 1],
        gradientLength: Math.min(160, side),
        offset: 16,
      },
    ],
    marks,
  };
  return renderSvg(spec);
}
