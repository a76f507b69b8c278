/**
 * Tells the bench that this process is ready. Then answers each request of the bench by calling the function that the
 * request names. When the bench disconnects, runs `stop` and exits.
 * @param {{ stop: () => Promise<unknown> } & Record<string, (...args: never[]) => Promise<unknown>>} requests
 */
export function serve({ stop, ...requests }) {
  process.on('message', async ({ id, name, args }) => {
    try {
      process.send?.({ id, result: await requests[name](...args) });
    } catch (error) {
      console.error(error);
      process.send?.({ id, error: String(error) });
    }
  });
  process.once('disconnect', async () => {
    setTimeout(() => process.exit(1), 8_000).unref();
    await stop();
    process.exit();
  });
  process.send?.({ ready: true });
}

/**
 * Executes `count` tasks, one after the other, and returns the milliseconds of each. Without `isCompleted`, `start`
 * resolves when its task has completed. Otherwise `isCompleted` is asked every millisecond.
 * @template T
 * @param {number} count
 * @param {() => Promise<T>} start
 * @param {(started: T) => Promise<boolean>} isCompleted
 * @returns {Promise<number[]>}
 */
export async function executeAll(count, start, isCompleted = async () => true) {
  const latenciesMs = [];
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now();
    const started = await start();
    while (!(await isCompleted(started))) await new Promise((resolve) => setTimeout(resolve, 1));
    latenciesMs.push(performance.now() - startedAt);
  }
  return latenciesMs;
}

/**
 * Makes `count` submissions, `atOnce` of them open at a time. Returns how long all took and the latency of each.
 * @param {() => Promise<unknown>} submitOne
 * @param {number} count
 * @param {number} atOnce
 * @returns {Promise<{ seconds: number, latenciesMs: number[] }>}
 */
export async function submitAll(submitOne, count, atOnce) {
  const latenciesMs = [];
  let left = count;
  const startedAt = performance.now();
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      const calledAt = performance.now();
      await submitOne();
      latenciesMs.push(performance.now() - calledAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { seconds: (performance.now() - startedAt) / 1_000, latenciesMs };
}
