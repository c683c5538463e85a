/**
 * Ends work on the network that gives no sign of life for a while, or that the caller aborts.
 *
 * The promises themselves are raced, besides the signal handed to fetch: a download then ends in time even where an
 * abort does not reach the body of a response.
 */
export class Watch {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#end(this.#caller?.reason);
  #timer: NodeJS.Timeout | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  /** True when it was the silence that ended the work. */
  stalled = false;

  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#caller = caller;
    caller?.addEventListener('abort', this.#onAbort);
    this.alive();
  }

  /** For fetch, so that the connection is closed as well. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A sign of life: the time starts again. */
  alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.stalled = true;
      this.#end(new Error('stalled'));
    }, this.#timeoutMs);
  }

  /** The promise, or the end of the watch if that comes first. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
    });
  }

  /** The pieces of a body, each guarded. */
  async *pieces(response: Response): AsyncGenerator<Uint8Array> {
    if (!response.body) return;
    const reader = response.body.getReader();
    try {
      for (;;) {
        const piece = await this.guard(reader.read());
        if (piece.done) return;
        yield piece.value;
      }
    } finally {
      reader.cancel().catch(() => undefined);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  #end(reason: unknown): void {
    this.#reject?.(reason);
    this.#controller.abort(reason);
  }
}
