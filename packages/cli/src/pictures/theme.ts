import type { Config, Spec } from 'vega';

/** Okabe and Ito's colours, which readers with colour blindness can tell apart. */
export const blue = '#0072b2';
export const orange = '#d55e00';
export const ink = '#222';
const grey = '#666';
const line = '#e4e4e4';

const config: Config = {
  background: '#fff',
  text: { font: 'sans-serif' },
  title: {
    font: 'sans-serif',
    fontSize: 15,
    fontWeight: 'bold',
    color: ink,
    subtitleFont: 'sans-serif',
    subtitleColor: grey,
    subtitleFontSize: 12,
  },
  axis: {
    labelFont: 'sans-serif',
    titleFont: 'sans-serif',
    labelColor: ink,
    titleColor: ink,
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    domainColor: grey,
    tickColor: grey,
    gridColor: line,
  },
  legend: {
    titleColor: ink,
    titleFontWeight: 'normal',
    labelFont: 'sans-serif',
    titleFont: 'sans-serif',
    labelFontSize: 12,
    labelColor: ink,
    symbolStrokeWidth: 2.5,
  },
};

/**
 * Draws a Vega chart as SVG. Vega is a third of ECharts' size on disk to load and import, needs no canvas for SVG, and is
 * maintained by the group that invented it. It is loaded only here, so that no other command waits for it.
 */
export async function renderSvg(spec: Spec): Promise<string> {
  const { Error: logErrors, View, parse } = await import('vega');
  const view = new View(parse(spec, config), { renderer: 'none', logLevel: logErrors });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
