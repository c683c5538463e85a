/**
 * Mutates the bytes and the opcodes of PyTorch checkpoints, zip and older format, with checksums that are right again.
 * 30,000 mutations by default; the long form: `CONVKIT_FUZZ=10000000 npx vitest run --config ../../vitest.config.ts src/weights/pytorch.fuzz`.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FormatError } from '../errors.js';
import { Random } from '../random.js';
import { dtypes, elementCount } from './host-tensor.js';
import { decodePyTorch } from './pytorch.js';
import { type Piece, dict, globalName, int, join, pickle, tensor, text, tuple, zip } from './pytorch.test-util.js';

const inputs = Number(process.env['CONVKIT_FUZZ'] ?? 30_000);
const legacy = new Uint8Array(readFileSync(new URL('./__fixtures__/tensors-legacy.pth', import.meta.url)));
const types = ['FloatStorage', 'HalfStorage', 'BFloat16Storage', 'LongStorage', 'BoolStorage', 'DoubleStorage', 'NoStorage'];
const storage = new Uint8Array(48).map((_, i) => i);

/** Opcodes in places where they may or may not be right. */
const pieces: readonly Piece[] = [
  ...['}', ']', ')', '(', 't', 'u', 's', 'e', 'a', 'R', 'b', 'Q', '.', 'N', '0', '2', 'P0\n', 'I1\n', 'S"a"\n'],
  ...[0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x93, 0x94, 0x95, 0x80],
  ...[join('h', 0), join('q', 0), join('q', 1), join('h', 1), join('j\0\0\0\0'), join('r\xff\xff\xff\xff')],
  ...[int(0), int(-1), int(2 ** 30), text('w'), text('storage'), text(''), text('__proto__'), tuple(), tuple(int(2), int(3))],
  ...[
    globalName('collections', 'OrderedDict'),
    globalName('torch', 'FloatStorage'),
    globalName('torch._utils', '_rebuild_tensor_v2'),
  ],
  ...[
    globalName('torch._utils', '_rebuild_parameter'),
    globalName('torch', 'Size'),
    globalName('os', 'system'),
    globalName('a', 'Module'),
  ],
  ...[text('_parameters'), text('_buffers'), text('_modules'), text('names')],
  ...[join('G', new Uint8Array(8)), join(0x8a, 8, new Uint8Array(8).fill(255)), join('X\xff\xff\xff\xff')],
];

const moduleAttributes = (parameters: Uint8Array, modules: Uint8Array): Uint8Array =>
  dict([
    ['_parameters', parameters],
    ['_buffers', join('}')],
    ['_modules', modules],
  ]);

function randomPickle(random: Random): Uint8Array {
  const state = Array.from({ length: 1 + random.int(3) }, (_, i): [string, Uint8Array] => {
    const type = types[random.int(random.int(2) ? 1 : types.length)];
    const shape = Array.from({ length: random.int(4) }, () => random.int(4));
    const stride = shape.map((_, axis) =>
      random.int(4) ? shape.slice(axis + 1).reduce((product, n) => product * n, 1) : random.int(5),
    );
    return [
      `w${i}`,
      tensor({ type, size: storage.length / (type === 'LongStorage' ? 8 : 4), offset: random.int(3), shape, stride }),
    ];
  });
  const inner = join(globalName('a', 'Module'), ')', 0x81, moduleAttributes(dict(state), join('}')), 'b');
  if (random.int(3) === 0)
    return pickle(join(globalName('a', 'Module'), ')', 0x81, moduleAttributes(dict(state), dict([['m', inner]])), 'b'));
  return pickle(
    random.int(2)
      ? dict(state)
      : dict([
          ['epoch', int(1)],
          ['state_dict', join(dict(state), '}b')],
        ]),
  );
}

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.int(bytes.length);
  const rest = at + random.int(Math.min(12, bytes.length - at + 1));
  if (random.int(3) === 0) {
    const changed = bytes.slice();
    changed[at] = random.int(256);
    return changed;
  }
  const inserted = random.int(4) ? pieces[random.int(pieces.length)] : bytes.subarray(rest, rest + random.int(60));
  return join(bytes.subarray(0, at), inserted, bytes.subarray(random.int(2) ? at : rest));
}

/** A pickle and the archive of it, mutated in one of four ways: many of one original, since making one takes longest. */
function mutated(original: Original, random: Random, mutations: number): Uint8Array {
  const where = random.int(4);
  if (where === 0) return repeated(legacy, random, mutations);
  if (where === 1 || mutations === 0) return repeated(original.archive, random, mutations);
  return archive(repeated(original.pickle, random, mutations));
}

interface Original {
  readonly pickle: Uint8Array;
  readonly archive: Uint8Array;
}

const archive = (content: Uint8Array): Uint8Array =>
  zip([
    { name: 'archive/data.pkl', content },
    { name: 'archive/data/0', content: storage },
  ]);

function repeated(bytes: Uint8Array, random: Random, mutations: number): Uint8Array {
  for (let i = 0; i < mutations; i++) bytes = mutate(bytes, random);
  return bytes;
}

test(`of ${inputs} mutated checkpoints each is decoded consistently or refused in one line`, () => {
  const root = new Random(1);
  let decoded = 0;
  let slowest = 0;
  let original: Original | undefined;
  for (let i = 0; i < inputs; i++) {
    if (i % 16 === 0 || !original) {
      const content = randomPickle(root.child(-i));
      original = { pickle: content, archive: archive(content) };
    }
    const bytes = mutated(original, root.child(i), i % 4);
    const start = performance.now();
    try {
      for (const { dtype, shape, data } of decodePyTorch(bytes).values()) {
        if (data.length !== elementCount(shape) || !(data instanceof dtypes[dtype].array))
          throw new Error('the values do not fit');
      }
      decoded++;
    } catch (error) {
      if (!(error instanceof FormatError)) throw new Error(`input ${i}: ${String(error)}`, { cause: error });
      if (error.message.length > 1000 || error.message.includes('\n'))
        throw new Error(`input ${i}: not one line: ${error.message}`);
    }
    slowest = Math.max(slowest, performance.now() - start);
  }
  if (process.env['CONVKIT_FUZZ']) console.log(`${decoded} of ${inputs} decoded, slowest ${slowest.toFixed(1)} ms`);
  expect(decoded).toBeGreaterThan(inputs / 10);
  expect(decoded).toBeLessThan(inputs / 1.5);
  expect(slowest).toBeLessThan(1000);
}, 3_600_000);
