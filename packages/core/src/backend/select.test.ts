import { engine, getBackend, tensor1d, version_core } from '@tensorflow/tfjs-core';
import { afterEach, expect, test, vi } from 'vitest';
import { ArgumentError, BackendError } from '../errors.js';
import { addedBackends } from './plugin.js';
import { listBackends, registerBackend } from './registry.js';
import { probeBackends, selectBackend } from './select.js';

afterEach(() => {
  addedBackends.delete('broken');
  addedBackends.delete('fast');
});

test('auto walks cuda, webgpu, node, wasm, cpu', () => {
  expect(listBackends().map(({ name }) => name)).toEqual(['cuda', 'webgpu', 'node', 'wasm', 'cpu']);
});

test('a named backend becomes the current one and describes its device', async () => {
  const cpu = await selectBackend('cpu');
  expect(cpu).toEqual({ name: 'cpu', device: 'JavaScript, 1 thread', reason: 'cpu (JavaScript, 1 thread): asked for by name' });
  expect(getBackend()).toBe('cpu');
  const wasm = await selectBackend('wasm');
  expect(wasm).toMatchObject({ name: 'wasm', device: 'SIMD, 1 thread' });
  expect(getBackend()).toBe('wasm');
  const x = tensor1d([1, 2, 3]);
  expect([...(await x.data())]).toEqual([1, 2, 3]);
  x.dispose();
});

test('auto takes the first that works and says in one line why nothing faster does', async () => {
  const { name, device, reason } = await selectBackend();
  expect(reason.startsWith(`${name} (${device})`)).toBe(true);
  expect(reason).not.toContain('\n');
  const probes = await probeBackends();
  const first = probes.find(({ probe }) => probe.usable && probe.notInAuto === undefined);
  expect(name).toBe(first?.name);
  for (const { name: passed, probe } of probes.slice(0, probes.indexOf(first!))) {
    const hopeless = listBackends()
      .find((plugin) => plugin.name === passed)
      ?.hopeless?.();
    expect(reason).toContain(`${passed}: ${hopeless ?? (probe.usable ? probe.notInAuto : probe.reason)}`);
  }
});

test('a package that is not installed is named, with the command that installs it', async () => {
  const probes = new Map((await probeBackends()).map(({ name, probe }) => [name, probe]));
  for (const [name, pkg] of [
    ['cuda', '@tensorflow/tfjs-node-gpu'],
    ['node', '@tensorflow/tfjs-node'],
  ] as const) {
    if (probes.get(name)?.usable) continue; // A developer's machine may have it.
    await selectBackend('cpu');
    const error = await selectBackend(name).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BackendError);
    expect((error as Error).message).toBe(
      `The ${name} backend cannot be used: ${pkg} is not installed. Install it: npm install ${pkg}@${version_core}`,
    );
    expect(getBackend()).toBe('cpu');
  }
});

test('wasm and cpu are usable in Node, and a probe starts nothing', async () => {
  await selectBackend('cpu');
  const probes = await probeBackends();
  expect(getBackend()).toBe('cpu');
  for (const name of ['wasm', 'cpu']) expect(probes.find((p) => p.name === name)?.probe.usable).toBe(true);
});

test('an unknown name is refused with the names that are known', async () => {
  const error = await selectBackend('metal').catch((e: unknown) => e);
  expect(error).toBeInstanceOf(ArgumentError);
  expect((error as Error).message).toBe("Unknown backend 'metal': expected auto, cuda, webgpu, node, wasm, cpu.");
});

test('a backend that fails half-way leaves the one before in its place, and auto goes on to the next', async () => {
  await selectBackend('wasm');
  registerBackend({
    name: 'broken',
    description: 'switches to cpu, then fails',
    rank: 0,
    probe: async () => ({ usable: true, detail: 'so it says' }),
    start: async () => {
      await engine().setBackend('cpu');
      throw new Error('the device is gone');
    },
  });
  await expect(selectBackend('broken')).rejects.toThrow('The broken backend did not start: the device is gone');
  expect(getBackend()).toBe('wasm');
  const { name, reason } = await selectBackend();
  expect(name).not.toBe('broken');
  expect(reason).toContain('broken: the device is gone');
});

test('another package adds a backend of its own to the walk', async () => {
  registerBackend({
    name: 'fast',
    description: 'an example',
    rank: 25,
    probe: async () => ({ usable: true, detail: '' }),
    start: async () => {
      await engine().setBackend('cpu');
      return 'a fast device';
    },
  });
  expect(listBackends().map(({ name }) => name)).toEqual(['cuda', 'webgpu', 'fast', 'node', 'wasm', 'cpu']);
  expect(await selectBackend('fast')).toMatchObject({ name: 'fast', device: 'a fast device' });
});

test('selections made at the same time run one after the other', async () => {
  const [a, b] = await Promise.all([selectBackend('wasm'), selectBackend('cpu')]);
  expect([a.name, b.name]).toEqual(['wasm', 'cpu']);
  expect(getBackend()).toBe('cpu');
});

test('starting and using the cpu backend prints nothing', async () => {
  const warn = vi.spyOn(console, 'warn');
  await selectBackend('cpu');
  tensor1d([1]).dispose();
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

test('repeated selection leaks no tensor', async () => {
  await selectBackend('wasm');
  const before = engine().memory().numTensors;
  for (const name of ['cpu', 'wasm', 'cpu', 'auto']) await selectBackend(name);
  expect(engine().memory().numTensors).toBe(before);
});
