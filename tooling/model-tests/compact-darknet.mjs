// Makes a fixture from a golden of a Darknet net: `node tooling/model-tests/compact-darknet.mjs <golden.json> <fixture.json>`.
// It keeps the smallest case, the statistics of each layer, and of outputs about 200 evenly spaced values with the sums over all.
import { readFileSync, writeFileSync } from 'node:fs';

const [source, target] = process.argv.slice(2);
const { model, reference, head_scale, num_params, num_buffers, weight_file_bytes, weight_check, cases } = JSON.parse(
  readFileSync(source, 'utf8'),
);

function compact({ shape, sum, l2, stride, strided }) {
  const step = Math.ceil(strided.length / 200);
  return { shape, sum, l2, stride: stride * step, strided: strided.filter((_, k) => k % step === 0) };
}

const pixels = ({ input_shape: [, , h, w] }) => h * w;
const [smallest] = cases.sort((a, b) => pixels(a) - pixels(b));
const { input_shape, madds, layer_stats, heads, output } = smallest;
const case_ = {
  input_shape,
  madds,
  layer_stats,
  heads: heads.map(({ layer, raw }) => ({ layer, raw: compact(raw) })),
  output: compact(output),
};
const fixture = { model, reference, head_scale, num_params, num_buffers, weight_file_bytes, weight_check, cases: [case_] };
writeFileSync(target, `${JSON.stringify(fixture)}\n`);
