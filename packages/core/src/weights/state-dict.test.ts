import '@tensorflow/tfjs-backend-cpu';
import { type Tensor, memory, ready, setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { FormatError } from '../errors.js';
import type { Initializer } from '../init.js';
import { Buffer, Counter, Module, Parameter } from '../module.js';
import { type StateDict, floatTensor, intScalar } from './host-tensor.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';
import { type LoadOptions, loadStateDict, stateDict } from './state-dict.js';

const noise: Initializer = (values, _, random) => values.forEach((_value, i) => (values[i] = random.normal()));

class Norm extends Module {
  readonly weight = new Parameter([4], { init: noise });
  readonly running_mean = new Buffer([4], { init: noise });
  readonly num_batches_tracked = new Counter();
  forward(x: Tensor): Tensor {
    return x;
  }
}

class Net extends Module {
  readonly conv = new Parameter([4, 3, 2, 5], { init: noise, layout: 'conv' });
  readonly fc = new Parameter([2, 4], { init: noise, layout: 'linear' });
  readonly bn = new Norm();
  forward(x: Tensor): Tensor {
    return x;
  }
}

const NAMES = ['conv', 'fc', 'bn.weight', 'bn.running_mean', 'bn.num_batches_tracked'];

beforeAll(async () => {
  await setBackend('cpu');
  await ready();
});

/** The message of the FormatError of a load that must fail, after a check that the model is what it was. */
async function refused(model: Net, dict: StateDict, options?: LoadOptions): Promise<string> {
  const before = await stateDict(model);
  let message = '';
  try {
    loadStateDict(model, dict, options);
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    message = (error as Error).message;
  }
  expect(await stateDict(model)).toEqual(before);
  return message;
}

test('a state dict saved, encoded, decoded and loaded is bit-equal, in order, and leaks no tensor', async () => {
  const first = new Net().initialize(1);
  first.bn.num_batches_tracked.value = 12345;
  const second = new Net().initialize(2);
  const tensors = memory().numTensors;
  const dict = await stateDict(first);
  expect([...dict.keys()]).toEqual(NAMES);
  expect(dict.get('bn.num_batches_tracked')).toEqual(intScalar(12345));
  const report = loadStateDict(second, decodeSafetensors(encodeSafetensors(dict)).tensors);
  expect(report).toEqual({ loaded: NAMES, missing: [], unexpected: [], wrongShape: [] });
  const again = await stateDict(second);
  expect(encodeSafetensors(again)).toEqual(encodeSafetensors(dict));
  expect(memory().numTensors).toBe(tensors);
});

test('a convolution is stored as [out, in, height, width] and computed as HWIO', async () => {
  const model = new Net().initialize(1);
  const dict = await stateDict(model);
  const values = Float32Array.from({ length: 120 }, (_, i) => i);
  loadStateDict(model, new Map(dict).set('conv', floatTensor(values, [4, 3, 2, 5])));
  expect(model.conv.value.shape).toEqual([2, 5, 3, 4]);
  // [o=1, i=2, h=1, w=3] is value 1·30 + 2·10 + 1·5 + 3; in HWIO it lies at ((1·5 + 3)·3 + 2)·4 + 1.
  expect(model.conv.value.dataSync()[((1 * 5 + 3) * 3 + 2) * 4 + 1]).toBe(58);
});

test('a model can be loaded before it is initialized', async () => {
  const dict = await stateDict(new Net().initialize(1));
  const model = new Net();
  loadStateDict(model, dict);
  expect(await stateDict(model)).toEqual(dict);
});

test('num_batches_tracked may be absent or of any dtype, but must be one whole number', async () => {
  const dict = await stateDict(new Net().initialize(1));
  const model = new Net().initialize(2);
  model.bn.num_batches_tracked.value = 7;
  dict.delete('bn.num_batches_tracked');
  expect(loadStateDict(model, dict).missing).toEqual([]);
  expect(model.bn.num_batches_tracked.value).toBe(7);
  loadStateDict(model, dict.set('bn.num_batches_tracked', { dtype: 'I32', shape: [], data: Int32Array.of(9) }));
  expect(model.bn.num_batches_tracked.value).toBe(9);
  expect(await refused(model, dict.set('bn.num_batches_tracked', { dtype: 'I32', shape: [1], data: Int32Array.of(9) }))).toMatch(
    /needs \[\], found \[1\]/,
  );
  expect(
    await refused(model, dict.set('bn.num_batches_tracked', { dtype: 'F32', shape: [], data: Float32Array.of(0.5) })),
  ).toMatch(/Counter "bn.num_batches_tracked" is 0.5/);
});

test('a strict load names everything that does not fit and leaves the model as it was', async () => {
  const dict = await stateDict(new Net().initialize(1));
  const model = new Net().initialize(2);
  dict.delete('fc');
  dict.set('head.weight', floatTensor(new Float32Array(1))).set('conv', floatTensor(new Float32Array(6), [3, 2]));
  const message = await refused(model, dict);
  expect(message).toMatch(/missing fc; unexpected head.weight; wrong shape conv \(needs \[4,3,2,5\], found \[3,2\]\)/);
});

test('a load that is not strict sets what fits and reports the rest', async () => {
  const dict = await stateDict(new Net().initialize(1));
  const model = new Net().initialize(2);
  const before = await stateDict(model);
  dict.delete('fc');
  dict.set('head.weight', floatTensor(new Float32Array(1))).set('conv', floatTensor(new Float32Array(6), [3, 2]));
  expect(loadStateDict(model, dict, { strict: false })).toEqual({
    loaded: ['bn.weight', 'bn.running_mean', 'bn.num_batches_tracked'],
    missing: ['fc'],
    unexpected: ['head.weight'],
    wrongShape: [{ name: 'conv', expected: [4, 3, 2, 5], found: [3, 2] }],
  });
  const after = await stateDict(model);
  expect(after.get('bn.weight')).toEqual(dict.get('bn.weight'));
  expect(after.get('fc')).toEqual(before.get('fc'));
});

test('excepted names keep their values, and a file that has them is refused', async () => {
  const dict = await stateDict(new Net().initialize(1));
  const model = new Net().initialize(2);
  const before = (await stateDict(model)).get('fc');
  const except = (name: string): boolean => name === 'fc';
  expect(await refused(model, dict, { except })).toContain('unexpected fc');
  const { loaded } = loadStateDict(model, new Map([...dict].filter(([name]) => !except(name))), { except });
  expect(loaded).toEqual(NAMES.filter((name) => !except(name)));
  expect((await stateDict(model)).get('fc')).toEqual(before);
});

test('a prefix on every name is not removed silently: the error says how to', async () => {
  const plain = await stateDict(new Net().initialize(1));
  const dict = new Map([...plain].map(([name, tensor]) => [`module.${name}`, tensor]));
  const model = new Net().initialize(2);
  expect(await refused(model, dict)).toMatch(/Every name starts with "module.": pass \{ rename: \(name\) => name.slice\(7\) \}/);
  loadStateDict(model, dict, { rename: (name) => name.slice(7) });
  expect(await stateDict(model)).toEqual(plain);
  expect(await refused(model, plain, { rename: () => 'same' })).toMatch(/renamed to "same"/);
});

test("a model's own rename takes the other names that it is published under", async () => {
  class Known extends Net {
    override rename(name: string): string {
      return name.replace(/^module\./, '');
    }
  }
  const plain = await stateDict(new Net().initialize(1));
  const model = new Known().initialize(2);
  loadStateDict(model, new Map([...plain].map(([name, tensor]) => [`module.${name}`, tensor])));
  expect(await stateDict(model)).toEqual(plain);
  loadStateDict(model, plain);
});

test('F64, F16 and BF16 weights become float32; other dtypes and values beyond float32 are refused in either mode', async () => {
  const dict = await stateDict(new Net().initialize(1));
  const model = new Net().initialize(2);
  const half = decodeSafetensors(encodeSafetensors(dict, { dtype: 'F16' })).tensors;
  loadStateDict(model, half);
  expect((await stateDict(model)).get('fc')?.data).toEqual(half.get('fc')?.data);
  loadStateDict(
    model,
    new Map(dict).set('bn.weight', { dtype: 'F64', shape: [4], data: Float64Array.of(1 / 3, 1, NaN, Infinity) }),
  );
  expect((await stateDict(model)).get('bn.weight')?.data).toEqual(Float32Array.of(1 / 3, 1, NaN, Infinity));
  const large = new Map(dict).set('bn.weight', { dtype: 'F64', shape: [4], data: Float64Array.of(0, 1e39, 0, 0) });
  expect(await refused(model, large, { strict: false })).toMatch(/"bn.weight" holds 1e\+39/);
  const quantised = new Map(dict).set('bn.weight', { dtype: 'I8', shape: [4], data: new Int8Array(4) });
  expect(await refused(model, quantised, { strict: false })).toMatch(/"bn.weight" has dtype I8; a weight must be F32/);
});

test('a loaded model shares no memory with the state dict', async () => {
  const dict = await stateDict(new Net().initialize(1));
  const model = new Net();
  loadStateDict(model, dict);
  dict.get('bn.weight')?.data.fill(0 as never);
  expect((await stateDict(model)).get('bn.weight')?.data[0]).not.toBe(0);
});
