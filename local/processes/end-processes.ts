import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../cli/setup-error.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

/** A child as the lock file records it; children of a later stage need those of the earlier ones, so they end first. */
export type RecordedChild = ProcessIdentity & { name: string; stage: number };

type Options = { termMs?: number; killMs?: number };

function send(signal: NodeJS.Signals, child: ProcessIdentity) {
  try {
    if (isAlive(child)) process.kill(child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function waitUntilGone(children: RecordedChild[], withinMs: number): Promise<RecordedChild[]> {
  const deadline = performance.now() + withinMs;
  let left = children.filter(isAlive);
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(50);
    left = left.filter(isAlive);
  }
  return left;
}

/**
 * Ends processes that are not our own children, latest stage first: SIGTERM, and after `termMs` SIGKILL. A pid
 * whose start time differs belongs to somebody else and is left alone.
 * @throws {SetupError} when one of them outlives SIGKILL.
 */
export async function endProcesses(children: RecordedChild[], { termMs = 4_000, killMs = 10_000 }: Options = {}) {
  const stages = [...new Set(children.map(({ stage }) => stage))].sort((a, b) => b - a);
  for (const stage of stages) {
    const members = children.filter((child) => child.stage === stage && isAlive(child));
    for (const child of members) send('SIGTERM', child);
    const stubborn = await waitUntilGone(members, termMs);
    for (const child of stubborn) send('SIGKILL', child);
    const [immortal] = await waitUntilGone(stubborn, killMs);
    if (immortal)
      throw new SetupError(
        `${immortal.name} (pid ${immortal.pid}) of an earlier start cannot be ended: end it, then try again.`,
      );
  }
}

/** Kills them and waits until all are gone without giving up the thread: for a process that ends in this very tick. */
export function killNow(processes: ProcessIdentity[], withinMs = 2_000): void {
  for (const one of processes) send('SIGKILL', one);
  const deadline = performance.now() + withinMs;
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (processes.some(isAlive) && performance.now() < deadline) Atomics.wait(never, 0, 0, 20);
}
