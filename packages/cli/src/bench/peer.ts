import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ConvkitError } from '@convkit/core';
import type { Work } from './works.js';

/** What a peer needs to make itself ready. Files: the images [N, H, W, 3], the weights, the net as ONNX. */
export interface Preparation extends Work {
  readonly threads: number;
  readonly input: string;
  readonly weights?: string;
  readonly onnx?: string;
}

/** Some runs of a work. */
export interface Runs {
  readonly ms: readonly number[];
  /** Time of all cores together; less is lost to other processes' load than in `ms`. */
  readonly cpuMs: readonly number[];
  /** The part of `ms` that ONNX Runtime needed to run graphs; only of the onnx backend. The rest is JavaScript. */
  readonly graphMs?: readonly number[];
  /** Of the last run: the loss, or mean and largest absolute value of the output. */
  readonly values: readonly number[];
  /** The most memory that the process ever had in RAM, its libraries included. */
  readonly peakBytes: number;
}

/** A process that runs works for one engine: requests and answers are lines of JSON. */
export class Peer {
  readonly #child;
  readonly #lines;
  readonly #ended: Promise<string>;

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin.on('error', () => undefined); // the process is over: `ask` tells why
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    let last = '';
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      if (last === '' || /error/i.test(line)) last = line.trim();
    });
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(error.message));
      this.#child.on('close', (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}${last && `: ${last}`}`));
    });
  }

  prepare(preparation: Preparation & { readonly format?: string }): Promise<{ engine: string }> {
    return this.#ask({ do: 'prepare', ...preparation });
  }

  /** Writes the files `weights` and `onnx`. */
  write(preparation: Preparation): Promise<object> {
    return this.#ask({ do: 'write', ...preparation });
  }

  run(times: number): Promise<Runs> {
    return this.#ask({ do: 'run', times });
  }

  end(): Promise<unknown> {
    this.#child.kill();
    return this.#ended;
  }

  /** What libraries print is no answer and is left out. */
  async #ask<Answer>(request: object): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    for (;;) {
      const line = await this.#lines.next();
      if (line.done === true) throw new ConvkitError(await this.#ended);
      if (!line.value.startsWith('{')) continue;
      const answer = JSON.parse(line.value) as Answer & { error?: string };
      if (answer.error !== undefined) throw new ConvkitError(answer.error);
      return answer;
    }
  }
}
