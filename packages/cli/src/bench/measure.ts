import { availableParallelism } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import type { BenchEngine } from './engines.js';
import type { Peer, Preparation } from './peer.js';
import { type Work, workName } from './works.js';

/** What one engine needed for one work. */
export interface Row {
  readonly work: string;
  readonly engine: string;
  /** What ran, with its version. */
  readonly version: string;
  readonly medianMs: number;
  readonly minMs: number;
  /** Median time of all cores together. */
  readonly cpuMs: number;
  /** The first run, with all that is made ready in it. */
  readonly firstMs: number;
  /** In training, of a backend that runs whole graphs: median time outside of them (recording, reading, the optimizer's loop). */
  readonly javaScriptMs?: number;
  /** Images of the batch by the median. */
  readonly itemsPerSecond: number;
  /** Throughput as a multiple of the reference's. */
  readonly ratio: number;
  readonly reference: string;
  readonly runs: number;
  /** The most memory that the engine's process had in RAM, libraries and weights included. */
  readonly peakBytes: number;
  /** After the first two runs: the loss, or mean and largest absolute value of the output. */
  readonly values: readonly number[];
}

/** An engine that could not do a work. */
export interface Failure {
  readonly work: string;
  readonly engine: string;
  readonly reason: string;
}

export interface MeasureOptions {
  /** Timed runs, at most, and the time that they may take together. */
  readonly runs: number;
  readonly seconds: number;
  /** The files that all engines read. */
  readonly input: string;
  readonly weights?: string;
  readonly onnx?: string;
  readonly onProgress: (done: number, total: number, engine: string) => void;
}

/** Blocks that the runs of an engine are split into, one in each round over the engines. */
const ROUNDS = 5;
/** Runs before those that count, where `seconds` is enough for them: JavaScript is compiled while it runs. */
const WARM_UP = 8;
/** Lets the threads of the engine before stop waiting for work. */
const PAUSE_MS = 50;

interface Contender {
  readonly name: string;
  readonly peer: Peer;
  readonly version: string;
  readonly firstMs: number;
  /** The fastest of the runs before those that count. */
  readonly warmMs: number;
  readonly values: readonly number[];
  readonly ms: number[];
  readonly cpuMs: number[];
  readonly javaScriptMs: number[];
  peakBytes: number;
}

/**
 * Times a work on engines in turn, each in a process of its own: whatever else runs on the machine slows all of them. Each first
 * runs some times to warm up; a slow engine whose first run takes longer than `seconds` runs only once.
 */
export async function measureWork(
  work: Work,
  engines: readonly BenchEngine[],
  options: MeasureOptions,
): Promise<{ rows: Row[]; failures: Failure[] }> {
  const failures: Failure[] = [];
  let contenders: Contender[] = [];
  const total = engines.length * (ROUNDS + 1);
  let done = 0;
  const fail = (engine: string, error: unknown): void =>
    void failures.push({ work: workName(work), engine, reason: (error as Error).message });
  try {
    for (const engine of engines) {
      options.onProgress(done++, total, engine.name);
      try {
        contenders.push(await enter(engine, work, options));
      } catch (error) {
        fail(engine.name, error);
        done += ROUNDS;
      }
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const contender of [...contenders]) {
        options.onProgress(done++, total, contender.name);
        try {
          await block(contender, options);
        } catch (error) {
          fail(contender.name, error);
          await contender.peer.end();
          contenders = contenders.filter((other) => other !== contender);
        }
      }
    }
  } finally {
    await Promise.all(contenders.map(({ peer }) => peer.end()));
  }
  return { rows: rowsOf(work, contenders), failures };
}

async function enter(engine: BenchEngine, work: Work, options: MeasureOptions): Promise<Contender> {
  const { input, weights, onnx, seconds } = options;
  const peer = engine.start();
  try {
    const preparation: Preparation = { ...work, threads: availableParallelism(), input, weights, onnx };
    const { engine: version } = await peer.prepare({ ...preparation, format: engine.format });
    const first = await peer.run(1);
    const firstMs = first.ms[0];
    const same = { name: engine.name, peer, version, firstMs };
    if (engine.slow && firstMs > 1000 * seconds) {
      return { ...same, ...first, warmMs: firstMs, ms: [...first.ms], cpuMs: [...first.cpuMs], javaScriptMs: [] };
    }
    const second = await peer.run(1);
    const more = Math.min(WARM_UP - 2, Math.floor((1000 * seconds) / second.ms[0]));
    const warm = more > 0 ? await peer.run(more) : second;
    const values = [...first.values, ...second.values];
    return { ...same, values, warmMs: Math.min(...warm.ms), ms: [], cpuMs: [], javaScriptMs: [], peakBytes: second.peakBytes };
  } catch (error) {
    await peer.end();
    throw error;
  }
}

/** A round's runs; none if the engine's time is up. */
async function block(contender: Contender, { runs, seconds }: MeasureOptions): Promise<void> {
  const { ms, cpuMs, javaScriptMs, warmMs, peer } = contender;
  const spent = ms.reduce((sum, each) => sum + each, 0);
  if (spent >= 1000 * seconds) return;
  await wait(PAUSE_MS);
  const affordable = Math.floor((1000 * seconds) / ROUNDS / warmMs);
  const taken = await peer.run(Math.max(1, Math.min(affordable, Math.ceil(runs / ROUNDS))));
  ms.push(...taken.ms);
  cpuMs.push(...taken.cpuMs);
  javaScriptMs.push(...(taken.graphMs ?? []).map((graph, i) => taken.ms[i] - graph));
  contender.peakBytes = taken.peakBytes;
}

function rowsOf(work: Work, contenders: readonly Contender[]): Row[] {
  const name = workName(work);
  const reference = referenceOf(work, contenders);
  return contenders.map(({ name: engine, version, firstMs, values, ms, cpuMs, javaScriptMs, peakBytes }) => ({
    work: name,
    engine,
    version,
    medianMs: median(ms),
    minMs: Math.min(...ms),
    cpuMs: median(cpuMs),
    firstMs,
    ...(javaScriptMs.length > 0 && { javaScriptMs: median(javaScriptMs) }),
    itemsPerSecond: (1000 * work.batch) / median(ms),
    ratio: median(reference?.ms ?? ms) / median(ms),
    reference: reference?.name ?? engine,
    runs: ms.length,
    peakBytes,
    values,
  }));
}

/** ONNX Runtime in inference and the faster format of PyTorch in training; without them, the first engine. */
function referenceOf({ mode }: Work, contenders: readonly Contender[]): Contender | undefined {
  const wanted = mode === 'inference' ? /^onnxruntime$/ : /^pytorch/;
  const found = contenders.filter(({ name }) => wanted.test(name)).sort((a, b) => median(a.ms) - median(b.ms));
  return found[0] ?? contenders[0];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
