import { expect, test } from 'vitest';
import { ArgumentError, FormatError } from '../errors.js';
import { type DType, type HostTensor, type StateDict, dtypes, floatTensor } from './host-tensor.js';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

/** A file with this header text and this many bytes of data. */
function file(header: string, dataBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const info = (begin: number, end: number, dtype = 'U8', shape = [end - begin]): string =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

function sample(): StateDict {
  const tensors: StateDict = new Map();
  for (const dtype of Object.keys(dtypes) as DType[]) {
    const data = new dtypes[dtype].array(6);
    data.forEach((_, i) => {
      data[i] = data instanceof BigInt64Array ? BigInt(i) - 3n : i % 2;
    });
    tensors.set(`a.${dtype}`, { dtype, shape: [2, 3], data });
  }
  tensors.set('scalar', { dtype: 'I64', shape: [], data: BigInt64Array.of(2n ** 62n) });
  tensors.set('empty', { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) });
  return tensors;
}

test('every dtype survives a round trip, in order, with scalars, empty tensors and metadata', () => {
  const tensors = sample();
  const decoded = decodeSafetensors(encodeSafetensors(tensors, { metadata: { format: 'pt', 'ключ "1"': 'a\nb' } }));
  expect([...decoded.tensors]).toEqual([...tensors]);
  expect(decoded.metadata).toEqual({ format: 'pt', 'ключ "1"': 'a\nb' });
});

test('encoding is deterministic and aligned, so that decoding makes no copy', () => {
  const bytes = encodeSafetensors(sample());
  expect(encodeSafetensors(sample())).toEqual(bytes);
  for (const { dtype, data } of decodeSafetensors(bytes).tensors.values()) {
    if (dtype !== 'F16' && dtype !== 'BF16') expect(data.buffer).toBe(bytes.buffer);
  }
});

test('a file that lies unaligned in memory decodes to the same values', () => {
  const bytes = encodeSafetensors(sample());
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  expect([...decodeSafetensors(shifted.subarray(3)).tensors]).toEqual([...sample()]);
});

test('the bytes are those of the published format', () => {
  const bytes = encodeSafetensors(new Map([['w', floatTensor(Float32Array.of(1, -2))]]));
  const header = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  ';
  expect(bytes).toEqual(
    new Uint8Array([header.length, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from(header), 0, 0, 128, 63, 0, 0, 0, 192]),
  );
});

test('dtype stores floats narrower and leaves integers as they are', () => {
  const tensors: StateDict = new Map([
    ['w', floatTensor(Float32Array.of(1 / 3, 1e-8))],
    ['d', { dtype: 'F64', shape: [1], data: Float64Array.of(1 + 2 ** -11 + 2 ** -40) }],
    ['n', { dtype: 'I64', shape: [], data: BigInt64Array.of(5n) }],
  ]);
  const decoded = decodeSafetensors(encodeSafetensors(tensors, { dtype: 'F16' })).tensors;
  expect(decoded.get('w')).toEqual({ dtype: 'F16', shape: [2], data: Float32Array.of(0.333251953125, 0) });
  expect(decoded.get('d')?.data[0]).toBe(1 + 2 ** -10);
  expect(decoded.get('n')).toEqual(tensors.get('n'));
});

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  ['an empty file', new Uint8Array(0), /has 0 bytes/],
  ['7 bytes', new Uint8Array(7), /has 7 bytes/],
  ['a header longer than the cap', Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 123), /claims 4294967296 bytes, more than/],
  ['a header longer than the file', file('{}').subarray(0, 9), /claims 2 bytes, but only 1/],
  ['a header of length 0', new Uint8Array(8), /does not start with "\{"/],
  ['a zip', Uint8Array.from(Buffer.from('PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0')), /more than the 25000000/],
  ['text before the header', file(' {}'), /does not start with/],
  ['a byte order mark', file('\ufeff{}'), /does not start with/],
  ['a header that is not UTF-8', file('{"\u00e9":1}').map((b) => (b === 0xc3 ? 0xff : b)), /not valid UTF-8/],
  ['text after the header', file('{}x'), /character 2, in the end/],
  ['a cut header', file('{"a":'), /broken at character 5, in tensor "a"/],
  ['a raw newline in a name', file('{"a\n":1}'), /broken/],
  ['a trailing comma', file(`{"a":${info(0, 1)},}`, 1), /broken/],
  ['a duplicate name', file(`{"a":${info(0, 1)},"a":${info(1, 2)}}`, 2), /names tensor "a" twice/],
  ['a duplicate name behind an escape', file(`{"a":${info(0, 1)},"\\u0061":${info(1, 2)}}`, 2), /names tensor "a" twice/],
  [
    'a repeated field',
    file('{"a":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}}', 1),
    /unknown or repeated field "dtype"/,
  ],
  ['an unknown field', file('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}}', 1), /unknown or repeated field "x"/],
  ['a missing field', file('{"a":{"dtype":"U8","shape":[]}}', 1), /tensor "a" needs a dtype/],
  [
    'three offsets',
    file('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1,2]}}', 1),
    /data_offsets of tensor "a" has more than 2/,
  ],
  ['one offset', file('{"a":{"dtype":"U8","shape":[],"data_offsets":[0]}}', 1), /two data_offsets/],
  ['a negative dimension', file('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', 1), /the shape of tensor "a"/],
  ['a fraction', file('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1), /the shape of tensor "a"/],
  ['an exponent', file('{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', 1), /the shape of tensor "a"/],
  [
    'a number beyond 2^53',
    file('{"a":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,1]}}', 1),
    /the shape of tensor "a"/,
  ],
  ['a rank of 33', file(`{"a":${info(0, 1, 'U8', Array<number>(33).fill(1))}}`, 1), /more than 32/],
  [
    'a shape whose product overflows',
    file(`{"a":${info(0, 0, 'U8', Array<number>(9).fill(2 ** 52))}}`),
    /needs .* bytes but has 0/,
  ],
  ['metadata that is not a string', file('{"__metadata__":{"a":1}}'), /entry "a"/],
  ['metadata that is not an object', file('{"__metadata__":"a"}'), /"__metadata__"/],
  ['metadata twice', file('{"__metadata__":{},"__metadata__":{}}'), /two "__metadata__"/],
  ['a metadata key twice', file('{"__metadata__":{"a":"","a":""}}'), /key "a" twice/],
  [
    'a dtype that is not supported',
    file(`{"a":${info(0, 1, 'F8_E4M3')}}`, 1),
    /tensor "a" has dtype "F8_E4M3".*supported are F64/,
  ],
  ['a dtype named like a property of Object', file(`{"a":${info(0, 1, 'constructor')}}`, 1), /dtype "constructor"/],
  ['a shape that needs more bytes', file(`{"a":${info(0, 4, 'F32', [2])}}`, 4), /tensor "a", F32 \[2\], needs 8 bytes but has 4/],
  ['a hole at the start', file(`{"a":${info(1, 2)}}`, 2), /tensor "a" begins at byte 1, not 0: it leaves a hole/],
  ['a hole between tensors', file(`{"a":${info(0, 1)},"b":${info(2, 3)}}`, 3), /tensor "b" begins at byte 2, not 1/],
  ['an overlap', file(`{"a":${info(0, 2)},"b":${info(1, 3)}}`, 3), /tensor "b" begins at byte 1, not 2: it overlaps/],
  ['two tensors on the same bytes', file(`{"a":${info(0, 2)},"b":${info(0, 2)}}`, 2), /overlaps/],
  ['offsets in reverse', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}', 1), /ends \(0\) before it begins/],
  ['a cut file', file(`{"a":${info(0, 4)}}`, 3), /tensor "a" ends at byte 4, but the file has 3: it is cut off/],
  ['bytes left over', file(`{"a":${info(0, 4)}}`, 5), /1 bytes follow the last tensor/],
])('%s is a FormatError that says so', (_, bytes, message) => {
  const decode = () => decodeSafetensors(bytes);
  expect(decode).toThrow(FormatError);
  expect(decode).toThrow(message);
});

test('a name such as __proto__ is only a name', () => {
  const bytes = file(
    `{"__metadata__":{"__proto__":"p","constructor":"c"},"__proto__":${info(0, 1)},"toString":${info(1, 2)}}`,
    2,
  );
  const { tensors, metadata } = decodeSafetensors(bytes);
  expect([...tensors.keys()]).toEqual(['__proto__', 'toString']);
  expect(Object.entries(metadata)).toEqual([
    ['__proto__', 'p'],
    ['constructor', 'c'],
  ]);
  expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
  expect([...decodeSafetensors(encodeSafetensors(tensors, { metadata })).tensors.keys()]).toEqual([...tensors.keys()]);
});

test('an error stays one short line whatever the name', () => {
  const name = JSON.stringify(`line\n${'x'.repeat(100_000)}`);
  let message = '';
  try {
    decodeSafetensors(file(`{${name}:${info(0, 1, 'X')}}`, 1));
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toMatch(/^safetensors: tensor "line\\nxxx/);
  expect(message.length).toBeLessThan(400);
});

test('a tensor that contradicts itself is not written', () => {
  const write =
    (tensor: HostTensor, name = 'a') =>
    () =>
      encodeSafetensors(new Map([[name, tensor]]));
  expect(write({ dtype: 'F32', shape: [3], data: new Float32Array(2) })).toThrow(ArgumentError);
  expect(write({ dtype: 'I64', shape: [2], data: new Float32Array(2) })).toThrow(/I64 cannot hold a Float32Array/);
  expect(write({ dtype: 'F32', shape: [-1, -2], data: new Float32Array(2) })).toThrow(ArgumentError);
  expect(write(floatTensor(new Float32Array(1)), '__metadata__')).toThrow(ArgumentError);
});

test('100 MB of F16, BF16 and F32 decode in under a second each', () => {
  for (const [dtype, values] of [
    ['F16', 5e7],
    ['BF16', 5e7],
    ['F32', 2.5e7],
  ] as const) {
    const bytes = file(`{"w":${info(0, 1e8, dtype, [values])}}`.padEnd(96), 1e8);
    const start = performance.now();
    expect(decodeSafetensors(bytes).tensors.get('w')?.data.length).toBe(values);
    const ms = performance.now() - start;
    if (process.env['CONVKIT_BENCH']) console.log(`${dtype}: ${(0.1 / (ms / 1000)).toFixed(2)} GB/s`);
    expect(ms).toBeLessThan(1000);
  }
});

test('values that are not aligned are read from a Buffer of Node too', () => {
  const file = encodeSafetensors(new Map([['w', floatTensor(Float32Array.of(1, 2))]]));
  const shifted = Buffer.alloc(file.length + 1);
  shifted.set(file, 1);
  expect(decodeSafetensors(shifted.subarray(1)).tensors.get('w')?.data).toEqual(Float32Array.of(1, 2));
});
