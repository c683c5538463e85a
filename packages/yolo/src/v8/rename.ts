/** Where tinygrad's YOLOv8, whose names candle's published files have, keeps the layers of the net. */
const layers: Readonly<Record<string, string>> = {
  ...{ 'net.b1.0': '0', 'net.b1.1': '1' },
  ...{ 'net.b2.0': '2', 'net.b2.1': '3', 'net.b2.2': '4' },
  ...{ 'net.b3.0': '5', 'net.b3.1': '6' },
  ...{ 'net.b4.0': '7', 'net.b4.1': '8' },
  'net.b5.0': '9',
  ...{ 'fpn.n1': '12', 'fpn.n2': '15', 'fpn.n3': '16', 'fpn.n4': '18', 'fpn.n5': '19', 'fpn.n6': '21' },
  head: '22',
};

/** tinygrad's names in Ultralytics': `net.b2.0.bottleneck.0.cv1.conv.weight` → `model.2.m.0.cv1.conv.weight`; others stay. */
export function renameTinygrad(name: string): string {
  const [, layer, rest] = /^(net\.b\d\.\d|fpn\.n\d|head)\.(.*)$/.exec(name) ?? [];
  if (layer === undefined || !Object.hasOwn(layers, layer)) return name;
  return `model.${layers[layer]}.${rest.replace(/^bottleneck\./, 'm.')}`;
}
