import { createInterface } from 'node:readline';
import type { Preparation, Runs } from './peer.js';

/** One run of the work that an engine is ready for, with what `Runs.values` says of it. */
export type Run = () => Promise<number[]>;

/** An engine that is ready for a work. */
export interface Ready {
  /** What will run it, with its version. */
  readonly engine: string;
  readonly run: Run;
  /** Milliseconds that whole graphs have run for so far, where an engine runs whole graphs. */
  readonly graphMs?: () => number;
}

export type Engine = (preparation: Preparation) => Promise<Ready>;

type Request = ({ do: 'prepare' } & Preparation) | { do: 'run'; times: number };

/** The loop of a process of `convkit bench`: takes requests from standard input and answers on standard output. */
export async function serve(engine: Engine): Promise<void> {
  let ready: Ready | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    let answer: object;
    try {
      const request = JSON.parse(line) as Request;
      if (request.do === 'prepare') {
        ready = await engine(request);
        answer = { engine: ready.engine };
      } else {
        answer = await timed(ready!, request.times);
      }
    } catch (error) {
      answer = { error: (error as Error).message.replace(/\s+/g, ' ') };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

async function timed({ run, graphMs }: Ready, times: number): Promise<Runs> {
  const ms: number[] = [];
  const cpuMs: number[] = [];
  const inGraphs: number[] = [];
  let values: number[] = [];
  for (let i = 0; i < times; i++) {
    const before = process.cpuUsage();
    const graphsBefore = graphMs?.() ?? 0;
    const start = performance.now();
    values = await run();
    ms.push(performance.now() - start);
    const { user, system } = process.cpuUsage(before);
    cpuMs.push((user + system) / 1000);
    if (graphMs) inGraphs.push(graphMs() - graphsBefore);
  }
  return { ms, cpuMs, values, peakBytes: process.resourceUsage().maxRSS * 1024, ...(graphMs && { graphMs: inGraphs }) };
}

/** Mean and largest absolute value: the same in every layout, so that engines can be compared. */
export function summaryOf(outputs: readonly Float32Array[]): number[] {
  let sum = 0;
  let largest = 0;
  for (const output of outputs) {
    for (const value of output) {
      const size = Math.abs(value);
      sum += size;
      if (size > largest) largest = size;
    }
  }
  return [sum / outputs.reduce((total, { length }) => total + length, 0), largest];
}
