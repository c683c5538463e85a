/** Milliseconds on a clock that never goes back. */
export const now = (): number => performance.now();

/** Lets signals, timers and the page have their turn. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
