/**
 * Mutates valid files, bytes and structure alike, and hostile headers of the full 25 MB.
 * 200,000 mutations by default; the long form: `CONVKIT_FUZZ=10000000 npx vitest run --config ../../vitest.config.ts src/weights/safetensors.fuzz`.
 */
import { expect, test } from 'vitest';
import { FormatError } from '../errors.js';
import { bundle, start, temporaryDirectory } from '../node/__fixtures__/child.js';
import { Random } from '../random.js';
import { type DType, type StateDict, dtypes, elementCount } from './host-tensor.js';
import { MAX_HEADER_BYTES, decodeSafetensors, encodeSafetensors } from './safetensors.js';

const inputs = Number(process.env['CONVKIT_FUZZ'] ?? 200_000);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function withHeader(header: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(Buffer.from(header, 'latin1'), 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

function randomFile(random: Random): Uint8Array {
  const names = ['w', 'layer1.0.bn1.weight', '__proto__', '', 'é"\\\n', 'a', 'b', 'constructor'];
  const tensors: StateDict = new Map();
  for (let n = random.int(5); n > 0; n--) {
    const dtype = Object.keys(dtypes)[random.int(10)] as DType;
    const shape = Array.from({ length: random.int(4) }, () => random.int(4));
    tensors.set(names[random.int(names.length)], {
      dtype,
      shape,
      data: new dtypes[dtype].array(elementCount(shape)),
    });
  }
  return encodeSafetensors(tensors, random.int(2) ? { metadata: { format: 'pt', k: 'v' } } : {});
}

const NUMBERS = [
  '0',
  '1',
  '-1',
  '2',
  '4',
  '00',
  '1.5',
  '1e3',
  '9007199254740991',
  '9007199254740992',
  '18446744073709551615',
  '"1"',
  'null',
  '[]',
  '{}',
];
const WORDS = [
  '"dtype"',
  '"shape"',
  '"data_offsets"',
  '"__metadata__"',
  '"w"',
  '"F16"',
  '"I64"',
  '"F8_E5M2"',
  '""',
  '"\\u0077"',
  '"\\ud800"',
  '"\\x"',
];
const MARKS = ['{', '}', '[', ']', ',', ':', '"', '\\', ' ', '\n', '\0', '\xff', '\xc3\xa9', '/*', '[[[['];

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const header = text(bytes.subarray(8, 8 + length));
  const data = bytes.subarray(8 + length);
  const pick = (list: readonly string[]): string => list[random.int(list.length)];
  const replaceOne = (pattern: RegExp, by: (found: string) => string): Uint8Array => {
    const found = [...header.matchAll(pattern)];
    if (found.length === 0) return withHeader(header, data);
    const { index, 0: match } = found[random.int(found.length)];
    return withHeader(header.slice(0, index) + by(match) + header.slice(index + match.length), data);
  };
  switch (random.int(11)) {
    case 0: {
      // a flipped bit anywhere
      const copy = bytes.slice();
      copy[random.int(copy.length)] ^= 1 << random.int(8);
      return copy;
    }
    case 1: // cut
      return bytes.slice(0, random.int(bytes.length + 1));
    case 2: {
      // extended
      const longer = new Uint8Array(bytes.length + 1 + random.int(16));
      longer.set(bytes);
      return longer;
    }
    case 3: {
      // another header length
      const copy = bytes.slice();
      const view = new DataView(copy.buffer);
      if (random.int(4)) view.setUint32(0, Math.max(0, length + random.int(9) - 4), true);
      else view.setUint32(random.int(2) * 4, random.uint32(), true);
      return copy;
    }
    case 4:
    case 5:
      return replaceOne(/\d+/g, (digits) => (random.int(2) ? pick(NUMBERS) : String(Number(digits) + random.int(9) - 4)));
    case 6:
      return replaceOne(/"[^"]*"/g, () => pick(WORDS));
    case 7:
      return replaceOne(/[{}[\],:"]/g, () => pick(MARKS));
    case 8: {
      // insert
      const at = random.int(header.length + 1);
      return withHeader(header.slice(0, at) + pick(random.int(2) ? MARKS : WORDS) + header.slice(at), data);
    }
    case 9: // a member twice
      return replaceOne(/"[^"]*":(\{[^{}]*\}|"[^"]*"|\[[^\]]*\])/g, (member) => `${member},${member}`);
    default: // a member lost
      return replaceOne(/"[^"]*":(\{[^{}]*\}|"[^"]*"|\[[^\]]*\]),?/g, () => '');
  }
}

/** What must hold of anything that decodes: every byte belongs to exactly one tensor, and it can be written again. */
function checkDecoded(bytes: Uint8Array): void {
  const { tensors, metadata } = decodeSafetensors(bytes);
  let total = 0;
  for (const { dtype, shape, data } of tensors.values()) {
    if (data.length !== elementCount(shape)) throw new Error('a tensor does not fill its shape');
    total += data.length * dtypes[dtype].bytes;
  }
  const start = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (total !== bytes.length - start) throw new Error('bytes outside of every tensor');
  const again = decodeSafetensors(encodeSafetensors(tensors, { metadata }));
  if (again.tensors.size !== tensors.size) throw new Error('a tensor is lost on the way');
}

test(`${inputs} mutated files decode to whole tensors or throw a FormatError, each within a second`, () => {
  const root = new Random(2024);
  let decoded = 0;
  let slowest = 0;
  let original: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < inputs; i++) {
    if ((i & 7) === 0) original = randomFile(root.child(i));
    let bytes = original;
    for (let mutations = (i & 7) === 0 ? 0 : 1 + (i % 3); mutations > 0; mutations--) {
      if (bytes.length >= 8 && new DataView(bytes.buffer).getUint32(0, true) <= bytes.length - 8)
        bytes = mutate(bytes, root.child(-i - mutations));
    }
    const start = performance.now();
    try {
      checkDecoded(bytes);
      decoded++;
    } catch (error) {
      if (!(error instanceof FormatError))
        throw new Error(`input ${i}, ${JSON.stringify(text(bytes))}: ${String(error)}`, { cause: error });
      if (error.message.length > 1000 || error.message.includes('\n'))
        throw new Error(`input ${i}: not one line: ${error.message}`);
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  if (process.env['CONVKIT_FUZZ'])
    console.log(`${inputs} inputs: ${decoded} decoded, ${inputs - decoded} refused, slowest ${slowest.toFixed(1)} ms`);
  expect(decoded).toBeGreaterThan(inputs / 8);
  expect(decoded).toBeLessThan(inputs / 2);
  expect(slowest).toBeLessThan(1000);
}, 3_600_000);

test.each([
  'nested arrays',
  'nested objects',
  'a string without end',
  'a string of two-byte characters',
  'backslashes',
  'escaped quotes',
  'white space',
  'dimensions',
  'digits',
  'repeated fields',
  'metadata',
  'tensors',
])('a header of 25 MB of %s is refused within a second, in twice the memory of the file and 64 MB', async (kind) => {
  const program = await bundle(new URL('./__fixtures__/hostile-header.ts', import.meta.url), await temporaryDirectory());
  const child = start(program, [kind]);
  expect(await child.exited).toEqual({ code: 0, stderr: '' });
  const { outcome, ms, grownBytes } = JSON.parse(child.lines[0]) as { outcome: string; ms: number; grownBytes: number };
  expect(outcome).toBe('FormatError');
  expect(ms).toBeLessThan(1000);
  expect(grownBytes).toBeLessThan(MAX_HEADER_BYTES + 64e6); // the file itself is in memory already
});
