// Makes a fixture of at most 50 KB from a golden: `node tooling/model-tests/compact.mjs <golden.json> <fixture.json>`.
// Outputs keep about 64 evenly spaced values, which with the sums over all pin them down as well.
import { readFileSync, writeFileSync } from 'node:fs';

const [source, target] = process.argv.slice(2);
const golden = JSON.parse(readFileSync(source, 'utf8'));

function compact(record) {
  const { data, stride = 1, strided = data, ...rest } = record;
  delete rest.first;
  const step = Math.ceil(strided.length / 64);
  return { ...rest, stride: stride * step, strided: strided.filter((_, k) => k % step === 0) };
}

for (const entry of [golden, ...golden.cases]) {
  entry.output = compact(entry.output);
  for (const [name, record] of Object.entries(entry.other_outputs ?? {})) entry.other_outputs[name] = compact(record);
}
const { input_shape, bn_after, targets } = golden.train ?? {};
if (targets) golden.train = { input_shape, bn_after, grad_l2: {} }; // a detector's step: the tests of its loss have the rest
if (golden.train) {
  delete golden.train.grad_numerically_zero; // their values are below 1e-12 of the whole
  for (const head of ['logits', 'aux_logits', 'aux1_logits', 'aux2_logits']) {
    if (golden.train[head]) golden.train[head] = compact(golden.train[head]);
  }
  for (const [name, norm] of Object.entries(golden.train.grad_l2)) golden.train.grad_l2[name] = Number(norm.toPrecision(8));
  for (const statistics of Object.values(golden.train.bn_after)) {
    for (const field of ['running_mean', 'running_var']) statistics[field] = statistics[field].slice(0, 16);
  }
}
delete golden.fill_check.tensors;
delete golden.fill_exceptions; // the same as fill_rules, name by name
delete golden.notes;
// The deepest nets have too many gradients for 50 KB; theirs are tested with the complete goldens only.
if (JSON.stringify(golden).length > 50_000) delete golden.train;
writeFileSync(target, `${JSON.stringify(golden)}\n`);
