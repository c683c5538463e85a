import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { probeInstalledBackends } from '../backend.js';
import { UsageError } from '../errors.js';
import { packageRoot } from '../version.js';
import { onnxRuntimeFolder } from './onnxruntime.js';
import { Peer } from './peer.js';

/** Something that runs nets: `convkit:onnx`, `tfjs:wasm`, `onnxruntime`, `pytorch` … */
export interface BenchEngine {
  readonly name: string;
  /** Why it cannot run here. */
  readonly absent?: string;
  /** May take minutes, so only `--engines` asks for it. */
  readonly slow?: boolean;
  readonly format?: string;
  start(): Peer;
}

/** PyTorch's side, or why there is none. */
export type Python = { readonly start: () => Peer } | { readonly absent: string };

const workerOf = (name: string) => (): Peer =>
  new Peer(process.execPath, [...process.execArgv, process.argv[1], 'bench-worker', name]);

/** Every engine that convkit knows, in the order of the table. */
export async function listEngines(python: Python): Promise<BenchEngine[]> {
  const backends = await probeInstalledBackends();
  const own = backends.map(({ name, probe }): BenchEngine => ({
    name: `convkit:${name}`,
    slow: name === 'cpu',
    start: workerOf(`convkit:${name}`),
    ...(probe.usable ? {} : { absent: probe.reason }),
  }));
  const plain = ['wasm', 'cpu'].map((name) => ({ name: `tfjs:${name}`, slow: name === 'cpu', start: workerOf(`tfjs:${name}`) }));
  const why = 'absent' in python ? python.absent : undefined;
  const start = 'start' in python ? python.start : workerOf('');
  const runtime = onnxRuntimeFolder() === undefined ? 'onnxruntime-node is not installed (npm install @convkit/onnx)' : undefined;
  const noExport = why === undefined ? undefined : `its net is exported by PyTorch: ${why}`;
  return [
    ...own,
    ...plain,
    { name: 'onnxruntime', start: workerOf('onnxruntime'), absent: runtime ?? noExport },
    { name: 'pytorch', format: 'contiguous', start, absent: why },
    { name: 'pytorch:channels_last', format: 'channels_last', start, absent: why },
  ];
}

/** Those that `--engines` names, each by its name or its part before the colon; without it, all that are quick and present. */
export function chooseEngines(all: readonly BenchEngine[], asked: string | undefined): readonly BenchEngine[] {
  if (asked === undefined) return all.filter(({ slow, absent }) => !slow && absent === undefined);
  if (asked === 'all') return all.filter(({ absent }) => absent === undefined);
  return asked.split(',').flatMap((text) => {
    const found = all.filter(({ name }) => name === text || name.split(':')[0] === text);
    if (found.length === 0)
      throw new UsageError(`unknown engine '${text}': expected all, ${all.map(({ name }) => name).join(', ')}`);
    const present = found.filter(({ absent }) => absent === undefined);
    if (present.length === 0) throw new UsageError(`engine ${text} cannot be used: ${found[0].absent}`);
    return present;
  });
}

const peerScript = fileURLToPath(new URL('python/pytorch_peer.py', packageRoot));

/** The first Python that has PyTorch and torchvision. */
export async function findPython(asked: string | undefined): Promise<Python> {
  const candidates = asked === undefined ? ['python3', '/usr/bin/python3'] : [asked];
  for (const python of candidates) {
    const found = await new Promise<boolean>((resolve) =>
      execFile(python, ['-c', 'import torch, torchvision'], (error) => resolve(error === null)),
    );
    if (found) return { start: () => new Peer(python, ['-B', peerScript]) };
  }
  return { absent: `no PyTorch with torchvision in ${candidates.join(' or ')} (--python names another)` };
}
