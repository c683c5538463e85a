/** Resolves when timers, input and output that are due have had their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/**
 * Runs `task(0)` … `task(count − 1)`, at most `limit` at the same time.
 *
 * After a failure or an abort no task is started; it settles when those under way have ended, with the failure of the lowest number.
 */
export async function forEachLimited(
  count: number,
  limit: number,
  task: (i: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const failures = new Map<number, unknown>();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && failures.size === 0 && !signal?.aborted) {
      const i = next++;
      await task(i).catch((error: unknown) => failures.set(i, error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, work));
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
}
