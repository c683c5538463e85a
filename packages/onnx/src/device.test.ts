import { selectBackend } from '@convkit/core';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { Slot, raw } from './graph.js';
import { onnx, registerOnnx } from './index.js';
import { Sessions } from './session.js';

beforeAll(registerOnnx);
afterEach(() => vi.unstubAllEnvs());

test('CUDA without its libraries is an error that says where they belong, and no other device', async () => {
  vi.stubEnv('CONVKIT_ONNX_DEVICE', 'cuda');
  await expect(selectBackend('onnx')).rejects.toThrow(
    /The onnx backend cannot be used: CONVKIT_ONNX_DEVICE is cuda, and \S+providers_cuda\.\w+ is not in \S+\. .*install=cuda12/,
  );
  expect(await onnx.probe({})).toMatchObject({ usable: false });
});

test('a graph that is meant for CUDA does not run on the CPU instead', () => {
  vi.stubEnv('CONVKIT_ONNX_DEVICE', 'cuda');
  const sessions = new Sessions();
  const x = new Slot('float32', [1], { data: Float32Array.of(1) });
  expect(() => sessions.run([raw('Neg', [x], [1])])).toThrow(/cuda/i);
  sessions.dispose();
});

test('a device that does not exist is named, with those that do', async () => {
  vi.stubEnv('CONVKIT_ONNX_DEVICE', 'tpu');
  await expect(selectBackend('onnx')).rejects.toThrow("CONVKIT_ONNX_DEVICE to be one of cpu, cuda, found 'tpu'");
});

test('without the variable the CPU computes', async () => {
  vi.stubEnv('CONVKIT_ONNX_DEVICE', undefined);
  expect(await onnx.probe({})).toMatchObject({
    usable: true,
    device: expect.stringMatching(/^ONNX Runtime, \d+ threads?$/) as string,
  });
  expect((await selectBackend('onnx')).device).toMatch(/threads?$/);
});
