import { setTimeout as sleep } from 'node:timers/promises';
import type { Task } from '../../src/api/views/schemas.ts';
import type { HoldfastClient } from '../client/holdfast-client.ts';
import { SetupError } from '../setup-error.ts';
import { isTransient, toSentence } from './faults.ts';

// These two values keep the load on the API low, even while a thousand tasks are watched.
const pollMs = 250;
const maximumReadsAtOnce = 8;

/** `followTasks` gives up after this time without a successful answer. */
const defaultPatienceMs = 300_000;
/** Replaces `pollMs` while there is no successful answer. */
const unansweredPollMs = 1_000;

type Options = {
  holdfast: Pick<HoldfastClient, 'read'>;
  signal: AbortSignal;
  /** Called with each task whose status, attempt number, `paused` or `stuck` has changed since the previous read. */
  onChange: (task: Task) => void;
  note: (text: string) => void;
  patienceMs?: number;
};

const toState = ({ status, attempt, paused, stuck }: Task) =>
  `${status} ${attempt} ${paused !== undefined} ${stuck !== undefined}`;
const isOpen = ({ finishedAt }: Task) => finishedAt === undefined;

/** Runs `work` for every item, at most `atOnce` at a time. */
export async function eachOf<T>(items: T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const run = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run));
}

/**
 * Reads `tasks` until all have ended, and keeps the map up to date. Keeps trying while Temporal or the API is
 * unavailable, because accepted tasks are safe.
 * @throws {SetupError} after `patienceMs` without a successful answer. Throws a non-transient error at once.
 */
export async function followTasks(
  tasks: Map<string, Task>,
  { holdfast, signal, onChange, note, patienceMs = defaultPatienceMs }: Options,
): Promise<void> {
  let unansweredSince: number | undefined;
  let isUnanswered = false;

  const tolerate = (error: unknown) => {
    if (!isTransient(error)) throw error;
    const now = performance.now();
    if (unansweredSince === undefined) note(`${toSentence(error)} Accepted tasks are safe; trying again.`);
    unansweredSince ??= now;
    isUnanswered = true;
    if (now - unansweredSince >= patienceMs)
      throw new SetupError(`No answer for ${patienceMs / 1_000} s. The last error: ${error.message}`);
  };

  const read = async (before: Task) => {
    // After one call without an answer, the other calls of this round would fail too, so they are skipped.
    if (isUnanswered) return;
    const task = await holdfast.read(before.id).catch(tolerate);
    if (!task) return;
    if (unansweredSince !== undefined) note('Holdfast answers again.');
    unansweredSince = undefined;
    tasks.set(task.id, task);
    if (toState(task) !== toState(before)) onChange(task);
  };

  for (;;) {
    isUnanswered = false;
    await eachOf([...tasks.values()].filter(isOpen), maximumReadsAtOnce, read);
    if (![...tasks.values()].some(isOpen)) return;
    await sleep(isUnanswered ? unansweredPollMs : pollMs, undefined, { signal });
  }
}
