import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FormatError } from '../errors.js';
import { type HostTensor, dtypes } from './host-tensor.js';
import { decodePyTorch, decodePyTorchFile } from './pytorch.js';
import {
  type Piece,
  archive,
  dict,
  globalName,
  int,
  join,
  pickle,
  tensor,
  text,
  tuple,
  uint32,
  zip,
} from './pytorch.test-util.js';
import { decodeSafetensors } from './safetensors.js';
import { decodeWeights } from './weights-file.js';

const fixture = (name: string): Uint8Array => readFileSync(new URL(`./__fixtures__/${name}`, import.meta.url));
/** Written by tooling/reference/pytorch_fixtures.py with the `.pth` files. */
type Recorded = Record<string, { dtype: string; shape: number[]; values: number[] }>;
const recorded = JSON.parse(Buffer.from(fixture('pytorch.json')).toString()) as Record<
  'tensors.pth' | 'checkpoint.pth' | 'own-module.pth',
  Recorded
>;

const names: Readonly<Record<string, string>> = {
  ...{ float64: 'F64', float32: 'F32', float16: 'F16', bfloat16: 'BF16' },
  ...{ int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8', uint8: 'U8', bool: 'BOOL' },
};

function plain(tensors: ReadonlyMap<string, HostTensor>): unknown {
  return [...tensors].map(([name, { dtype, shape, data }]) => [
    name,
    { dtype, shape, values: Array.from(data as Iterable<unknown>, Number) },
  ]);
}

const expected = (tensors: Recorded): unknown =>
  Object.entries(tensors).map(([name, { dtype, ...rest }]) => [name, { ...rest, dtype: names[dtype] }]);

test.each(['tensors.pth', 'tensors-protocol4.pth', 'tensors-legacy.pth'])(
  'every dtype, stride and shared storage of %s has the values that PyTorch wrote',
  (file) => {
    const tensors = decodePyTorch(fixture(file));
    expect(plain(tensors)).toEqual(expected(recorded['tensors.pth']));
    for (const { dtype, data } of tensors.values()) expect(data).toBeInstanceOf(dtypes[dtype].array);
  },
);

test("of a checkpoint the model's state is taken, and neither the optimizer nor the epoch", () => {
  expect(plain(decodePyTorch(fixture('checkpoint.pth')))).toEqual(expected(recorded['checkpoint.pth']));
});

test('contiguous tensors are views into the file', () => {
  const bytes = fixture('tensors.pth');
  expect(decodePyTorch(bytes).get('shared.whole')?.data.buffer).toBe(bytes.buffer);
});

const matrix = tensor({ size: 6, shape: [2, 3], stride: [3, 1] });
const state = dict([['w', matrix]]);

test.each(['state_dict', 'model', 'model_state_dict', 'ema'])('tensors are found under %s', (key) => {
  const bytes = archive(
    pickle(
      dict([
        ['epoch', int(7)],
        [key, state],
      ]),
    ),
  );
  expect(decodePyTorch(bytes).get('w')).toEqual({ dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) });
});

test('only the storages of the tensors that are taken need be whole', () => {
  const optimizer = dict([['m', tensor({ key: '1', size: 5, shape: [5], stride: [1] })]]);
  expect([
    ...decodePyTorch(
      archive(
        pickle(
          dict([
            ['state_dict', state],
            ['optimizer', optimizer],
          ]),
        ),
      ),
    ).keys(),
  ]).toEqual(['w']);
});

const withPickle = (...pieces: readonly Piece[]): Uint8Array => archive(pickle(join(...pieces)));
const evil = tuple(text('touch /tmp/owned'));
const one = (pieces: Partial<Parameters<typeof tensor>[0]>): Uint8Array =>
  archive(pickle(dict([['w', tensor({ size: 6, shape: [6], stride: [1], ...pieces })]])));

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  ['a call of os.system', withPickle(globalName('os', 'system'), evil, 'R'), /refers to "os\.system"; .*nothing is executed/],
  ['a call of eval', withPickle(globalName('builtins', 'eval'), evil, 'R'), /"builtins\.eval"/],
  ['a name that every object has', withPickle(globalName('', 'constructor')), /"\.constructor"/],
  ['a name of a prototype', withPickle(globalName('torch', '__proto__')), /"torch\.__proto__"/],
  ['the same by STACK_GLOBAL', withPickle(text('posix'), text('system'), 0x93, evil, 'R'), /"posix\.system"/],
  ['a call of a string', withPickle(text('os.system'), evil, 'R'), /calls what is not a function/],
  ['a call of a storage class', withPickle(globalName('torch', 'FloatStorage'), ')R'), /calls "torch\.FloatStorage"/],
  ['the opcode INST', withPickle('(ios\nsystem\n'), /opcode 105.*refused/],
  ['the opcode EXT1', withPickle(0x82, 1), /opcode 130/],
  ['a state for what is no dict', withPickle(int(1), dict([]), 'b'), /state of what is not a dict/],
  ['protocol 0', archive(join(0x80, 0, 'N.')), /protocol 0/],
  ['a pickle without end', archive(join(0x80, 2, '}')), /ends in the middle/],
  ['a string beyond the end', archive(join(0x80, 2, 'X', uint32(0xffffffff), 'a.')), /ends in the middle/],
  ['an empty stack', withPickle('R'), /takes a value where none is/],
  ['a memo that is empty', withPickle('h', 9), /refers to value 9/],
  ['items without a beginning', withPickle('}u'), /has no beginning/],
  ['a list', withPickle(']'), /holds no dict of tensors/],
  ['an empty dict', withPickle('}'), /it is empty/],
  [
    'other things',
    archive(
      pickle(
        dict([
          ['epoch', int(1)],
          ['net', state],
        ]),
      ),
    ),
    /it holds "epoch", "net"/,
  ],
  ['a key that is a number', archive(pickle(join('}(', int(1), matrix, 'u'))), /name that is not a string/],
  ['a dtype of its own', one({ type: 'ComplexFloatStorage' }), /"torch\.ComplexFloatStorage"/],
  ['a tensor beyond its storage', one({ shape: [7] }), /"w", \[7\].*reaches beyond its storage/],
  ['an offset beyond its storage', one({ shape: [6], offset: 1 }), /reaches beyond/],
  ['strides beyond its storage', one({ shape: [2, 2], stride: [5, 1] }), /reaches beyond/],
  ['a negative stride', one({ stride: [-1] }), /a tensor in a way that cannot be/],
  ['a size that overflows', one({ shape: [2 ** 30, 2 ** 30], stride: [0, 0] }), /reaches beyond/],
  ['a terabyte of one value', one({ shape: [2 ** 20, 2 ** 18], stride: [0, 0] }), /unfold to many times the file/],
  ['a storage of another size', one({ size: 7 }), /has 24 bytes, not the 28 of 7 values/],
  ['a storage that is not there', one({ key: '../data.pkl' }), /lacks the storage/],
])('%s is refused in one line', (_, bytes, message) => {
  expect(() => decodePyTorch(bytes)).toThrow(FormatError);
  expect(() => decodePyTorch(bytes)).toThrow(message);
});

const data = { name: 'archive/data.pkl', content: pickle(state) };
const storage = { name: 'archive/data/0', content: new Uint8Array(24) };
const whole = zip([data, storage]);

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  ['without a pickle', zip([storage]), /holds no data\.pkl/],
  ['of TorchScript', zip([data, storage, { name: 'archive/constants.pkl', content: pickle(join('N')) }]), /TorchScript/],
  ['of a big-endian machine', zip([data, storage, { name: 'archive/byteorder', content: join('big') }]), /big-endian/],
  ['that is compressed', zip([{ ...data, method: 8 }, storage]), /"archive\/data\.pkl" is compressed \(method 8\)/],
  ['that is encrypted', zip([{ ...data, flags: 1 }, storage]), /encrypted/],
  ['with two files of one name', zip([data, data]), /two files are named/],
  ['with a wrong checksum', zip([data, { ...storage, crc: 1 }]), /"archive\/data\/0" does not have its checksum/],
  ['that is cut', whole.subarray(0, -1), /no end record: the file is cut off/],
  ['whose beginning is gone', join('PK\x03\x04', whole.subarray(60)), /damaged/],
])('an archive %s is refused in one line', (_, bytes, message) => {
  expect(() => decodePyTorch(bytes)).toThrow(FormatError);
  expect(() => decodePyTorch(bytes)).toThrow(message);
});

test('an entry that lies in another one is refused', () => {
  const bytes = whole.slice();
  const view = new DataView(bytes.buffer);
  const second = bytes.length - 22 - (46 + storage.name.length);
  const inner = zip([storage]).subarray(0, 30 + storage.name.length + 24);
  bytes.set(inner, 30 + data.name.length); // in the middle of the pickle
  view.setUint32(second + 42, 30 + data.name.length, true);
  expect(() => decodePyTorch(bytes)).toThrow(/overlaps/);
});

test.each<[what: string, piece: Uint8Array]>([
  ['dicts', join('}')],
  ['marks', join('(')],
  ['calls', join(globalName('collections', 'OrderedDict'), ')R')],
])('20 MB of %s are refused quickly', (_, piece) => {
  const content = Buffer.alloc(20_000_000, piece);
  const bytes = archive(pickle(content));
  const start = performance.now();
  expect(() => decodePyTorch(bytes)).toThrow(/more than 1000000 steps/);
  expect(performance.now() - start).toBeLessThan(5000);
});

test('a list that is passed on again and again is refused', () => {
  const list = join('](', ...Array.from({ length: 1000 }, () => tuple(text('a'), int(1))), 'e', 'q', 1);
  const calls = join(...Array.from({ length: 3000 }, () => join(globalName('collections', 'OrderedDict'), '(h', 1, 'tR')));
  expect(() => decodePyTorch(withPickle(list, calls))).toThrow(/more than 1000000 steps/);
});

const real = fileURLToPath(new URL('../../../../../shared/data/weights/', import.meta.url));

test.runIf(existsSync(real))('a published checkpoint of PyTorch 0.4 has the very bits of its safetensors twin', () => {
  const tensors = decodePyTorch(readFileSync(`${real}resnet20-12fca82f.th`));
  const twin = decodeSafetensors(readFileSync(`${real}cifar10_resnet20_akamaster.safetensors`)).tensors;
  const renamed = [...tensors].map(([name, tensor]) => [name.replace(/^module\./, ''), tensor] as const);
  expect(new Map(renamed)).toEqual(twin);
});

test.each(['module.pth', 'own-module.pth'] as const)('a module that was saved whole gives its state dict: %s', (file) => {
  const record = recorded[file === 'module.pth' ? 'checkpoint.pth' : file];
  expect(plain(decodePyTorch(fixture(file)))).toEqual(expected(record));
});

test('the names of the classes come from the module', () => {
  expect(decodePyTorchFile(fixture('own-module.pth')).classes).toEqual(['cat', 'dog', 'neither']);
  expect(decodePyTorchFile(fixture('module.pth')).classes).toBeUndefined();
  const { metadata } = decodeWeights(fixture('own-module.pth'), 'own.pt');
  expect(metadata).toEqual({ classes: '["cat","dog","neither"]' });
});

/** An object as `torch.nn.Module` writes itself; `children` are put into `_modules`. */
const moduleRecord = (type: Uint8Array, children: Uint8Array = join('}'), memo: Uint8Array = join()): Uint8Array => {
  const attributes = join(
    '}(',
    text('_parameters'),
    dict([['w', matrix]]),
    text('_buffers'),
    '}',
    text('_modules'),
    children,
    'u',
  );
  return join(type, ')', 0x81, memo, attributes, 'b');
};
const ownNet = globalName('my.nets', 'OwnNet');

test('before PyTorch 1.6 the class of a module came with its source', () => {
  const type = join(tuple(text('module'), ownNet, text('nets.py'), text('class OwnNet: …')), 'Q');
  expect([...decodePyTorch(archive(pickle(moduleRecord(type)))).keys()]).toEqual(['w']);
});

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  ['whose class is called', withPickle(ownNet, evil, 'R'), /calls "my\.nets\.OwnNet"/],
  ['that starts a program', withPickle(globalName('subprocess', 'Popen'), evil, 'R'), /calls "subprocess\.Popen"/],
  ['of a function', withPickle(moduleRecord(globalName('os', 'system'))), /refers to "os\.system"/],
  ['that is no module', withPickle(ownNet, ')', 0x81), /holds no dict of tensors/],
  ['that contains itself', withPickle(moduleRecord(ownNet, join('}', text('m'), 'h', 1, 's'), join('q', 1))), /in each other/],
])('an object %s is refused in one line', (_, bytes, message) => {
  expect(() => decodePyTorch(bytes)).toThrow(FormatError);
  expect(() => decodePyTorch(bytes)).toThrow(message);
});

test('modules that contain each other twice, over and over, are refused quickly', () => {
  const twice = (below: number): Uint8Array => join('}(', text('a'), join('h', below), text('b'), join('h', below), 'u');
  let pieces = moduleRecord(ownNet, join('}'), join('q', 0));
  for (let i = 1; i < 60; i++) pieces = join(pieces, moduleRecord(ownNet, twice(i - 1), join('q', i)));
  const start = performance.now();
  expect(() => decodePyTorch(archive(pickle(pieces)))).toThrow(/more than 20000 modules/);
  expect(performance.now() - start).toBeLessThan(1000);
});

test.runIf(existsSync(`${real}yolov8n.pt`))('a detector that was saved whole has the very values of its safetensors twin', () => {
  const { tensors, classes } = decodePyTorchFile(readFileSync(`${real}yolov8n.pt`));
  const twin = decodeSafetensors(readFileSync(`${real}yolov8n.safetensors`)).tensors;
  const counters = [...tensors.keys()].filter((name) => name.endsWith('num_batches_tracked'));
  expect(counters.length).toBe(57);
  for (const name of counters) tensors.delete(name);
  expect([...tensors.keys()].sort()).toEqual([...twin.keys()].sort());
  for (const [name, { shape, data }] of twin) {
    const own = tensors.get(name)!;
    expect(own.shape).toEqual(shape);
    expect(
      Buffer.from((own.data as Float32Array).buffer).equals(Buffer.from(Float32Array.from(data as Float32Array).buffer)),
      name,
    ).toBe(true);
  }
  expect(classes?.slice(0, 3)).toEqual(['person', 'bicycle', 'car']);
});
