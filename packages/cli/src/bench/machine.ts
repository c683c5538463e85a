import { availableParallelism, cpus, loadavg, platform, arch, totalmem } from 'node:os';

/** Where figures were measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  /** Processes that wanted to run, mean of a minute, before and after: about 0 before on a machine that does nothing else. */
  load: { before: number; after?: number };
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
    platform: `${platform()} ${arch()}`,
    node: process.version,
    load: { before: loadNow() },
  };
}

export const loadNow = (): number => Number(loadavg()[0].toFixed(2));
