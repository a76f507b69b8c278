import { setTimeout as sleep } from 'node:timers/promises';
import type { Task } from '../../src/api/views/schemas.ts';
import type { HoldfastClient } from '../client/holdfast-client.ts';
import { SetupError } from '../setup-error.ts';
import { isPassing, toSentence } from './faults.ts';

/** How often each open task is looked at, and how many at once: a thousand watched tasks must not become a load. */
const pollMs = 250;
const readsAtOnce = 8;

/** How long to go on asking while no call is answered, and how often then. */
const defaultPatienceMs = 300_000;
const silentPollMs = 1_000;

type Following = {
  holdfast: Pick<HoldfastClient, 'read'>;
  signal: AbortSignal;
  /** A task whose status or attempt differs from what was seen before. */
  onChange: (task: Task) => void;
  note: (text: string) => void;
  patienceMs?: number;
};

const toState = ({ status, attempt }: Task) => `${status} ${attempt}`;
const isOpen = ({ finishedAt }: Task) => finishedAt === undefined;

/** Runs `work` for every item, `atOnce` of them together. */
export async function eachOf<T>(items: T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const run = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run));
}

/**
 * Looks at `tasks` until all have ended, and keeps the map up to date. While Temporal or the API is away it goes on
 * asking: accepted tasks are safe.
 * @throws {SetupError} when nothing was answered for `patienceMs`, or with a fault that does not pass.
 */
export async function followTasks(
  tasks: Map<string, Task>,
  { holdfast, signal, onChange, note, patienceMs = defaultPatienceMs }: Following,
): Promise<void> {
  let silentSince: number | undefined;
  let isSilent = false;

  const bearSilence = (error: unknown) => {
    if (!isPassing(error)) throw error;
    const now = performance.now();
    if (silentSince === undefined) note(`${toSentence(error)} Accepted tasks are safe; trying again.`);
    silentSince ??= now;
    isSilent = true;
    if (now - silentSince >= patienceMs)
      throw new SetupError(`No answer for ${patienceMs / 1_000} s; the last fault: ${error.message}`);
  };

  const look = async (before: Task) => {
    // One unanswered call is enough to know: the others of this round wait for the next.
    if (isSilent) return;
    const task = await holdfast.read(before.id).catch(bearSilence);
    if (!task) return;
    if (silentSince !== undefined) note('Answers come again.');
    silentSince = undefined;
    tasks.set(task.id, task);
    if (toState(task) !== toState(before)) onChange(task);
  };

  for (;;) {
    isSilent = false;
    await eachOf([...tasks.values()].filter(isOpen), readsAtOnce, look);
    if (![...tasks.values()].some(isOpen)) return;
    await sleep(isSilent ? silentPollMs : pollMs, undefined, { signal });
  }
}
