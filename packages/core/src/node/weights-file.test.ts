import '@tensorflow/tfjs-backend-cpu';
import { type Tensor, ready, setBackend } from '@tensorflow/tfjs-core';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { ConvkitError, FormatError } from '../errors.js';
import { ones } from '../init.js';
import { Module, Parameter } from '../module.js';
import { floatTensor } from '../weights/host-tensor.js';
import { encodeSafetensors } from '../weights/safetensors.js';
import { stateDict } from '../weights/state-dict.js';
import { temporaryDirectory } from './__fixtures__/child.js';
import { checkpointDirectory } from './checkpoint-directory.js';
import { parsePreprocessing } from '../weights/stored-preprocessing.js';
import { loadWeights, saveWeights } from './weights-file.js';

class Net extends Module {
  readonly weight = new Parameter([2, 3], { init: ones, layout: 'linear' });
  forward(x: Tensor): Tensor {
    return x;
  }
}

const dict = new Map([['w', floatTensor(Float32Array.of(1, 2))]]);
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

beforeAll(async () => {
  await setBackend('cpu');
  await ready();
});

test('a saved model comes back, with metadata and preprocessing', async () => {
  const path = join(await temporaryDirectory(), 'new', 'model.safetensors');
  const model = new Net().initialize();
  const preprocessing = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], size: 32, interpolation: 'bicubic' } as const;
  await saveWeights(path, model, {
    metadata: { note: 'x' },
    preprocessing: { ...preprocessing, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  });
  const loaded = await loadWeights(path);
  expect(loaded.tensors).toEqual(await stateDict(model));
  expect(loaded.metadata['note']).toBe('x');
  expect(loaded.preprocessing).toEqual(preprocessing);
  await saveWeights(path, model, { dtype: 'F16' });
  expect((await loadWeights(path)).tensors.get('weight')?.dtype).toBe('F16');
  expect(await readdir(join(path, '..'))).toEqual(['model.safetensors']);
});

test('the content decides, not the extension, and the preprocessing may lie in a .json beside the file', async () => {
  const directory = await temporaryDirectory();
  await saveWeights(join(directory, 'model.bin'), dict);
  expect((await loadWeights(join(directory, 'model.bin'))).preprocessing).toBeUndefined();
  await writeFile(
    join(directory, 'model.json'),
    JSON.stringify({ params: 3, normalisation: { scale: 'x/255', ...imagenet, note: 'RGB' } }),
  );
  expect((await loadWeights(join(directory, 'model.bin'))).preprocessing).toEqual(imagenet);
  await writeFile(join(directory, 'model.json'), JSON.stringify({ normalisation: 'RGB x/127.5-1' }));
  expect((await loadWeights(join(directory, 'model.bin'))).preprocessing).toEqual({
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  });
  await writeFile(join(directory, 'model.json'), '{');
  await expect(loadWeights(join(directory, 'model.bin'))).rejects.toThrow(/model.json is not valid JSON/);
  await writeFile(join(directory, 'model.json'), '[1, 2]');
  expect((await loadWeights(join(directory, 'model.bin'))).preprocessing).toBeUndefined();
});

test('mean and std of pixels in 0…255 become those of 0…1', () => {
  expect(parsePreprocessing({ scale: 'x', mean: [0, 51, 255], std: [255, 51, 127.5] }, 'f')).toEqual({
    mean: [0, 0.2, 1],
    std: [1, 0.2, 0.5],
  });
  expect(parsePreprocessing('RGB, letterbox 640 with grey 114, x/255', 'f')).toEqual({ mean: [0, 0, 0], std: [1, 1, 1] });
});

test.each([
  [{ mean: [0, 0], std: [1, 1, 1] }, /mean must be three numbers, not \[0,0\]/],
  [{ mean: [0, 0, 0] }, /std must be three numbers/],
  [{ mean: [0, 0, 0], std: [1, 0, 1] }, /std must be positive/],
  [{ mean: [0, 0, '0'], std: [1, 1, 1] }, /mean must be three numbers/],
  [{ scale: 'x/128', ...imagenet }, /scale must be "x\/255" or "x"/],
  [{ size: -1 }, /size must be a whole number of pixels, not -1/],
  [{ interpolation: 'lanczos' }, /interpolation must be/],
  ['BGR, some other way', /"BGR, some other way" is not understood/],
  [7, /must be \{ mean, std \}/],
])('a normalisation that is not understood is an error, not a guess: %j', (value, message) => {
  expect(() => parsePreprocessing(value, 'model.json')).toThrow(FormatError);
  expect(() => parsePreprocessing(value, 'model.json')).toThrow(message);
});

test('a checkpoint directory stands for the model in it', async () => {
  const path = join(await temporaryDirectory(), 'run');
  await checkpointDirectory(path).save('step-1', { model: dict, optimizer: new Map(), progress: {} });
  expect((await loadWeights(join(path, 'step-1'))).tensors).toEqual(dict);
  await expect(loadWeights(path)).rejects.toThrow(/is a directory without model.safetensors/);
});

test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
  ['an empty file', new Uint8Array(0), /is empty/],
  [
    'a PyTorch zip',
    Uint8Array.from(Buffer.from('PK\x03\x04....archive/data.pkl')),
    /zip: the archive has no end record: the file is cut off/,
  ],
  ['a pickle', Uint8Array.of(0x80, 2, 0x5d, 0x2e), /is a Python pickle, but not of torch\.save/],
  ['Keras weights', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10, 0, 0), /is an HDF5 file/],
  ['a Git LFS pointer', Uint8Array.from(Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0')), /git lfs pull/],
  ['an error page', Uint8Array.from(Buffer.from('<!DOCTYPE html><html>')), /is HTML or XML/],
  ['noise', Uint8Array.from({ length: 100 }, (_, i) => (i * 37) & 255), /is neither a safetensors file nor one of PyTorch/],
  [
    'a cut file',
    encodeSafetensors(dict).slice(0, -1),
    /cut\.any: safetensors: tensor "w" ends at byte 8, but the file has 7: it is cut off/,
  ],
])('%s is refused in one line that says what it is', async (what, bytes, message) => {
  const path = join(await temporaryDirectory(), what === 'a cut file' ? 'cut.any' : 'file.safetensors');
  await writeFile(path, bytes);
  await expect(loadWeights(path)).rejects.toThrow(FormatError);
  await expect(loadWeights(path)).rejects.toThrow(message);
});

test('a missing file and a place that cannot be written are told in one line', async () => {
  const directory = await temporaryDirectory();
  await expect(loadWeights(join(directory, 'none.safetensors'))).rejects.toThrow(ConvkitError);
  await expect(loadWeights(join(directory, 'none.safetensors'))).rejects.toThrow(
    /^Cannot read .*none.safetensors: it does not exist\.$/,
  );
  await mkdir(join(directory, 'dir', 'sub'), { recursive: true });
  await expect(saveWeights(join(directory, 'dir'), dict)).rejects.toThrow(/Cannot write .*dir: it is a directory/);
  await writeFile(join(directory, 'file'), 'x');
  await expect(saveWeights(join(directory, 'file', 'model'), dict)).rejects.toThrow(/is a file/);
  expect(await readFile(join(directory, 'file'), 'utf8')).toBe('x');
});

const real = fileURLToPath(new URL('../../../../../shared/data/weights/', import.meta.url));

test.runIf(existsSync(real))('published weight files load, with their normalisation', async () => {
  const resnet = await loadWeights(join(real, 'cifar10_resnet20_akamaster.safetensors'));
  expect([...resnet.tensors.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(269722 + 1376);
  expect(resnet.preprocessing).toEqual(imagenet);
  const mobilenet = await loadWeights(join(real, 'imagenet_mobilenet_v3_small_keras_dequant.safetensors'));
  expect(mobilenet.preprocessing).toEqual({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
  for (const file of await readdir(real)) if (file.endsWith('.safetensors')) await loadWeights(join(real, file));
  const original = await loadWeights(join(real, 'resnet20-12fca82f.th'));
  expect(original.tensors.get('module.conv1.weight')).toEqual(resnet.tensors.get('conv1.weight'));
});
