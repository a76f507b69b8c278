import { nowMs } from '../../cli/measurement.ts';
import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Stack } from '../../local/stack/start-stack.ts';
import { expectThat } from '../checks/check.ts';
import { toCallsByTask } from '../system/calls.ts';
import { toSeconds, toStateText, untilCompleted, untilFound } from './until.ts';

type Options = { category: string; count: number; heartbeatTimeoutMs: number; signal: AbortSignal };

/**
 * The limit for recovery. It exceeds the sum of heartbeat timeout, first wait and a start of Holdfast on a busy
 * machine.
 */
const recoveredWithinMs = 30_000;

/** Submits `count` tasks. The first upstream call of each hangs until the worker closes the connection. */
export async function holdTasks(stack: Stack, { category, count, heartbeatTimeoutMs, signal }: Options) {
  const { holdfast, jokeApi } = stack;
  const readCalls = async () => (await jokeApi.ledger({ category })).items;
  await jokeApi.addRule({ when: { category, attempt: 1 }, then: [{ hang: 'headers' }], repeat: true });
  const submitted = await Promise.all(Array.from({ length: count }, () => holdfast.submit('fetch-joke', { category })));
  const ids = submitted.map(({ id }) => id);

  /** Waits until the first call of every task has been open for `openMs`. */
  async function untilOpenFor(openMs: number) {
    let open: LedgerEntry[] = [];
    await untilFound(
      () => `Only ${open.length} of ${count} first calls were held for ${toSeconds(openMs)}`,
      async () => {
        const calls = await readCalls();
        open = calls.filter(({ endedAt }) => endedAt === null);
        expectThat(
          open.length === calls.length && calls.every(({ attempt }) => attempt === 1),
          'The worker lives, but its attempts timed out: do heartbeats arrive?',
        );
        return (open.length === count && open.every(({ startedAt }) => nowMs() - startedAt > openMs)) || undefined;
      },
      { signal },
    );
  }

  return {
    /** Resolves when the first call of every task hangs. */
    untilHeld: () => untilOpenFor(0),

    /**
     * Resolves when all calls have hung for longer than the heartbeat timeout.
     * @throws {CheckFailure} unless heartbeats kept every first attempt alive.
     */
    async untilKeptAlive() {
      await untilOpenFor(heartbeatTimeoutMs + 1_000);
      for (const task of await Promise.all(ids.map(holdfast.read)))
        expectThat(
          task.status === 'running' && task.attempt === 1,
          `The worker lives, but a task that it runs is ${toStateText(task)}: do heartbeats arrive?`,
        );
    },

    /**
     * Resolves when all tasks have completed. Returns when the second upstream call of each task started, in epoch
     * milliseconds, in the order in which the tasks were submitted.
     */
    async untilRecovered(): Promise<number[]> {
      let recovered = 0;
      const seconds = await untilFound(
        () => `Only ${recovered} of ${count} tasks called the upstream again`,
        async () => {
          const calls = toCallsByTask(await readCalls());
          const found = ids.flatMap((id) => calls.get(id)?.[1]?.startedAt ?? []);
          recovered = found.length;
          return recovered === count ? found : undefined;
        },
        { signal, withinMs: recoveredWithinMs },
      );
      for (const task of await Promise.all(ids.map((id) => untilCompleted(holdfast, id, { signal }))))
        expectThat(task.attempt === 2, `A task is ${toStateText(task)}, not on attempt 2`);
      const calls = toCallsByTask(await readCalls());
      for (const id of ids) {
        const attempts = calls
          .get(id)
          ?.map(({ attempt }) => attempt)
          .join(', ');
        expectThat(attempts === '1, 2', `Task ${id} called the upstream in attempts ${attempts}, not in 1 and 2 alone`);
      }
      expectThat(calls.size === count, `${calls.size} tasks called the upstream, not ${count}`);
      return seconds;
    },
  };
}
