import type { HoldfastClient } from '../../cli/client/holdfast-client.ts';
import { holdsSoon } from '../../cli/until.ts';
import type { LedgerEntry } from '../../local/joke-api/ledger.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { type Policy, toWaitMs } from '../../src/policy.ts';
import { expectThat } from '../checks/check.ts';

/** A task read while it was retrying, and when the read was sent. */
export type Seen = { task: Task; askedAtMs: number };

/** The number of retrying tasks to read. So few add little load, but are enough for a sample. */
const wanted = 20;
/** The pause between two rounds. A round reads each open task once. */
const pauseMs = 50;
/** The limit for all rounds together. */
const longestMs = 10_000;

/** Tolerance for the clocks of up to three machines and for rounding to milliseconds. */
const clocksMs = 100;

/** Reads the open tasks round after round. Returns up to `wanted` tasks that were retrying when they were read. */
export async function watchRetrying(
  holdfast: Pick<HoldfastClient, 'read'>,
  tasks: Pick<Task, 'id'>[],
  signal: AbortSignal,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  const open = new Set(tasks.map(({ id }) => id));
  const readRound = async () => {
    for (const id of open) {
      if (seen.length === wanted) return true;
      const askedAtMs = Date.now();
      const task = await holdfast.read(id);
      if (task.status === 'retrying') seen.push({ task, askedAtMs });
      if (task.status === 'retrying' || task.finishedAt !== undefined) open.delete(id);
    }
    return open.size === 0;
  };
  await holdsSoon(readRound, { withinMs: longestMs, everyMs: pauseMs, signal });
  signal.throwIfAborted();
  return seen;
}

/**
 * Compares the next attempt and its time, as a retrying task announced them, with the policy and the upstream's calls.
 * @throws {CheckFailure} if the announced attempt or time does not match the policy or the calls.
 */
export function expectAnnounced({ task, askedAtMs }: Seen, calls: LedgerEntry[], policy: Policy): void {
  const { id, attempt, maxAttempts, nextAttemptAt, lastFailure } = task;
  const said = `Task ${id}, read while retrying, said attempt ${attempt}/${maxAttempts}`;
  expectThat(maxAttempts === policy.maximumAttempts, `${said}; the policy allows ${policy.maximumAttempts}`);
  const before = calls[attempt - 2];
  const next = calls[attempt - 1];
  expectThat(before?.endedAt != null && next !== undefined, `${said}; the upstream saw ${calls.length} calls`);
  expectThat(
    lastFailure?.upstreamStatus === before.status,
    `${said} after HTTP ${lastFailure?.upstreamStatus}, not ${before.status}`,
  );
  const nextMs = Date.parse(nextAttemptAt ?? '');
  expectThat(nextMs > askedAtMs - clocksMs, `${said} at ${nextAttemptAt}, which was in the past`);
  const waitMs = toWaitMs(policy, attempt - 1) ?? Number.NaN;
  const announcedMs = Math.round(nextMs - before.endedAt);
  expectThat(
    announcedMs >= waitMs - clocksMs && nextMs <= next.startedAt + clocksMs,
    `${said} ${announcedMs} ms after the last call; the policy says ${waitMs} ms, and the attempt came after ${Math.round(next.startedAt - before.endedAt)} ms`,
  );
}
