import '@tensorflow/tfjs-backend-cpu';
import { type Tensor, memory, ready, setBackend } from '@tensorflow/tfjs-core';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Classifier, type ClassifierOptions } from '../classifier.js';
import { ArgumentError, ConvkitError, FormatError } from '../errors.js';
import { globalAvgPool } from '../functional.js';
import { Linear } from '../layers/linear.js';
import { type CommonConfig, defineModel } from '../model.js';
import { type Context, pipe } from '../module.js';
import type { WeightsTable } from '../published.js';
import { floatTensor } from '../weights/host-tensor.js';
import { encodeSafetensors } from '../weights/safetensors.js';
import { temporaryDirectory } from './__fixtures__/child.js';
import { answer, serve } from './__fixtures__/faulty-server.js';
import { saveWeights } from './weights-file.js';

class Net extends Classifier {
  readonly embedding = new Linear(3, 4);
  readonly fc: Linear;
  readonly padding: string;

  constructor(options: ClassifierOptions & { padding?: string }) {
    super(options);
    this.fc = new Linear(4, options.numClasses);
    this.padding = options.padding ?? 'symmetric';
  }

  forward(x: Tensor, ctx: Context): Tensor {
    return pipe(ctx, x, globalAvgPool, this.embedding, this.fc);
  }
}

interface Config extends CommonConfig {
  padding: string;
}

const preprocessing = { size: 8, mean: [0, 0, 0], std: [1, 1, 1] } as const;
const published = { ...preprocessing, resize: 9, interpolation: 'bicubic' } as const;
const digest = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

const ramp = (...shape: number[]) =>
  floatTensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    shape,
  );
const dict = (classes: number, prefix = '') =>
  new Map([
    [`${prefix}embedding.weight`, ramp(4, 3)],
    [`${prefix}embedding.bias`, ramp(4)],
    [`${prefix}fc.weight`, ramp(classes, 4)],
    [`${prefix}fc.bias`, ramp(classes)],
  ]);
const file = encodeSafetensors(dict(10));
const renamed = encodeSafetensors(dict(10, 'module.'));

function factory(weights?: WeightsTable<Config>) {
  const info = { name: 'net', package: 'x', dataset: 'cifar10', reference: 'x', ...(weights && { weights }) } as const;
  return defineModel<Config, Net>(info, { numClasses: 10, preprocessing, padding: 'symmetric' }, (config) => new Net(config));
}

const about = { classes: 'cifar10', preprocessing: published, licence: 'MIT' } as const;
const hubbed = { repo: 'org/net', file: 'model.safetensors' } as const;

/** A Hub with two files, of which `content` is sent; and a variant with its weights there. */
async function hub(content: Uint8Array = file, announced: Uint8Array = file) {
  const server = await serve((request, response) => {
    const common = { 'x-repo-commit': '0123456789abcdef0123456789abcdef01234567' };
    const body = request.url?.includes('renamed.safetensors') ? renamed : content;
    const etag = `"${digest(body === renamed ? renamed : announced)}"`;
    if (!request.url?.includes('/resolve/')) return answer(request, response, { content: body, etag: false });
    response.writeHead(302, {
      ...common,
      'x-linked-etag': etag,
      'x-linked-size': String(body.length),
      location: `/blob/${request.url}`.replace('resolve', 'x'),
    });
    response.end();
  });
  vi.stubEnv('HF_ENDPOINT', server.url);
  vi.stubEnv('HF_HOME', await temporaryDirectory());
  vi.stubEnv('HF_HUB_CACHE', '');
  vi.stubEnv('HF_HUB_OFFLINE', '');
  const net = factory({
    first: { ...about, location: { ...hubbed, sha256: digest(announced) } },
    other: {
      ...about,
      location: { ...hubbed, file: 'renamed.safetensors' },
      rename: (name) => name.replace('module.', ''),
      config: { padding: 'same' },
    },
    url: { ...about, location: { url: `${server.url}/files/net-00.safetensors`, sha256: digest(announced).slice(0, 8) } },
  });
  return { server, net };
}

beforeAll(async () => {
  await setBackend('cpu');
  await ready();
});
afterEach(() => vi.unstubAllEnvs());

test('the first tag is the default, with its classes and its preprocessing, and its file is fetched once', async () => {
  const { server, net } = await hub();
  const progress: number[] = [];
  const model = await net.pretrained(undefined, {}, { onProgress: ({ received }) => progress.push(received) });
  expect(model.classes).toHaveLength(10);
  expect(model.classes[3]).toBe('cat');
  expect(model.preprocessing).toEqual(published);
  expect(await model.fc.weight.read()).toEqual(ramp(10, 4).data);
  expect(model.origin).toEqual({ source: 'hf:org/net/model.safetensors', tag: 'first', loaded: 4, fresh: [] });
  expect(progress.at(-1)).toBe(file.length);
  const before = server.seen.length;
  await net.pretrained('first');
  expect(server.seen.length).toBe(before);
});

test("a tag brings its names and the net's options, which the caller may overrule", async () => {
  const { net } = await hub();
  expect((await net.pretrained('other')).padding).toBe('same');
  expect((await net.pretrained('other', { padding: 'symmetric' })).padding).toBe('symmetric');
  expect((await net.pretrained('other', { preprocessing })).preprocessing).toEqual(preprocessing);
});

test('asked for other classes, everything but the head is loaded, and the origin names the head', async () => {
  const { net } = await hub();
  const before = memory().numTensors;
  const model = await net.pretrained('first', { classes: ['a', 'b', 'c'] }, { seed: 5 });
  expect(model.classes).toEqual(['a', 'b', 'c']);
  expect(model.origin).toMatchObject({ loaded: 2, fresh: ['fc.weight', 'fc.bias'] });
  expect(await model.embedding.weight.read()).toEqual(ramp(4, 3).data);
  const fresh = factory()({ numClasses: 3 }).initialize(5);
  expect(await model.fc.weight.read()).toEqual(await fresh.fc.weight.read());
  fresh.dispose();
  expect(memory().numTensors).toBe(before + 4);
});

test('weights of other classes that nobody asked for do not fit, and leave nothing behind', async () => {
  const path = join(await temporaryDirectory(), 'seven.safetensors');
  await saveWeights(path, dict(7));
  const before = memory().numTensors;
  await expect(factory().pretrained(path)).rejects.toThrow(
    /seven\.safetensors does not fit net\. .*fc\.weight \(needs \[10,4\], found \[7,4\]\)/,
  );
  expect(memory().numTensors).toBe(before);
});

test('a file says itself what it is: its classes, its preprocessing, its model', async () => {
  const path = join(await temporaryDirectory(), 'own.safetensors');
  const own = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;
  await saveWeights(path, dict(2), {
    metadata: { model: 'net', classes: '["yes","no"]' },
    preprocessing: { mean: [...own.mean], std: [...own.std] },
  });
  const model = await factory().pretrained(path);
  expect(model.classes).toEqual(['yes', 'no']);
  expect(model.preprocessing).toEqual({ ...preprocessing, ...own });
  expect(model.origin).toMatchObject({ source: path, tag: undefined });
  await saveWeights(path, dict(2), { metadata: { model: 'other_net' } });
  await expect(factory().pretrained(path)).rejects.toThrow(/holds weights of other_net, not of net/);
  await saveWeights(path, dict(2), { metadata: { classes: '{}' } });
  await expect(factory().pretrained(path)).rejects.toThrow(/'classes' to be a JSON list of names/);
});

test('a source says the padding, the colours and the names of a file that does not', async () => {
  const path = join(await temporaryDirectory(), 'keras.safetensors');
  await saveWeights(path, dict(10, 'module.'));
  const colours = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
  const rename = (name: string) => name.slice('module.'.length);
  const model = await factory().pretrained({ file: path, rename, padding: 'same', preprocessing: colours });
  expect(model.padding).toBe('same');
  expect(model.preprocessing).toEqual({ ...preprocessing, ...colours });
  expect(model.origin).toMatchObject({ source: path, loaded: 4 });

  const saved = join(await temporaryDirectory(), 'saved.safetensors');
  await saveWeights(saved, model);
  const again = await factory().pretrained(saved);
  expect(again.padding).toBe('same');
  expect(again.preprocessing).toEqual(model.preprocessing);
  expect((await factory().pretrained({ file: saved, padding: 'symmetric' })).padding).toBe('symmetric');
});

test('the .json beside a file may say its padding', async () => {
  const folder = await temporaryDirectory();
  await saveWeights(join(folder, 'w.safetensors'), dict(10));
  await writeFile(join(folder, 'w.json'), '{ "padding": "same", "normalisation": "x/127.5-1" }');
  const model = await factory().pretrained(join(folder, 'w.safetensors'));
  expect(model.padding).toBe('same');
  expect(model.preprocessing.mean).toEqual([0.5, 0.5, 0.5]);
  await writeFile(join(folder, 'w.json'), '{ "padding": "valid" }');
  await expect(factory().pretrained(join(folder, 'w.safetensors'))).rejects.toThrow(/'padding' is not understood: "valid"/);
});

test('a padding is refused by nets that leave no choice', async () => {
  const about = { name: 'net', package: 'x', dataset: 'cifar10', reference: 'x' } as const;
  const plain = defineModel<CommonConfig, Net>(about, { numClasses: 10, preprocessing }, (config) => new Net(config));
  const path = join(await temporaryDirectory(), 'w.safetensors');
  await saveWeights(path, dict(10), { metadata: { padding: 'same' } });
  await expect(plain.pretrained({ file: path, padding: 'same' })).rejects.toThrow(/net has no choice of padding, found 'same'/);
  await expect(plain.pretrained(path)).rejects.toThrow(/the weights are padded 'same', but net has no choice/);
});

test('hf:, a URL and a rename function work without a table', async () => {
  const { server, net } = await hub();
  vi.stubEnv('HF_TOKEN', 'hf_secret');
  expect((await factory().pretrained('hf:org/net/model.safetensors')).origin.loaded).toBe(4);
  const url = `${server.url}/files/renamed.safetensors?download=true`;
  const model = await factory().pretrained({ file: url, rename: (name) => name.slice('module.'.length) });
  expect(model.origin).toMatchObject({ source: url.replace(/\?.*/, ''), loaded: 4 });
  await expect(factory().pretrained(url)).rejects.toThrow(/does not fit net\. .*Every name starts with "module\."/);
  expect((await net.pretrained('url')).origin.tag).toBe('url');
});

test.each<[source: string, message: RegExp]>([
  ['tv_in1k', /net has no published weights "tv_in1k" \(its tags are first, other, url\); for a file write \.\/tv_in1k/],
  ['constructor', /no published weights "constructor"/],
  ['hf:org', /names no file on the Hub/],
])('%s is refused in one line', async (source, message) => {
  const { net } = await hub();
  await expect(net.pretrained(source)).rejects.toThrow(ArgumentError);
  await expect(net.pretrained(source)).rejects.toThrow(message);
});

test('a variant without published weights says so', async () => {
  await expect(factory().pretrained()).rejects.toThrow(/net has no published weights: name a file, a URL or hf:/);
});

test('content that is not the published one is refused, from the Hub and from a URL, and never kept', async () => {
  const { net } = await hub(renamed, file);
  await expect(net.pretrained('first')).rejects.toThrow(ConvkitError);
  await expect(net.pretrained('url')).rejects.toThrow(FormatError);
  await expect(net.pretrained('url')).rejects.toThrow(/does not begin with [0-9a-f]{8}: it was deleted/);
});
