import { SetupError } from '../../cli/setup-error.ts';
import { holdsSoon } from '../../cli/until.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

/** A child as the lock file records it. Later stages need the earlier ones, so the latest stage is ended first. */
export type RecordedChild = ProcessIdentity & { name: string; stage: number };

type Options = { termMs?: number; killMs?: number };

function send(signal: NodeJS.Signals, child: ProcessIdentity) {
  try {
    if (isAlive(child)) process.kill(child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until the children are gone, at most `withinMs`. Returns the children that are still alive. */
async function waitUntilGone(children: RecordedChild[], withinMs: number): Promise<RecordedChild[]> {
  await holdsSoon(() => !children.some(isAlive), { withinMs });
  return children.filter(isAlive);
}

/**
 * Ends processes that this process did not start, the latest stage first. Each gets SIGTERM, and SIGKILL if it is
 * still alive after `termMs`. If the process with a recorded pid has another start time than the recorded one, it
 * is another process and gets no signal.
 * @throws {SetupError} if a process is still alive `killMs` after SIGKILL.
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

/**
 * Kills the processes and blocks until all are gone, at most `withinMs`. Use it in `exit` listeners, which cannot wait
 * for promises.
 */
export function killNow(processes: ProcessIdentity[], withinMs = 2_000): void {
  for (const one of processes) send('SIGKILL', one);
  const deadline = performance.now() + withinMs;
  const unchanging = new Int32Array(new SharedArrayBuffer(4));
  while (processes.some(isAlive) && performance.now() < deadline) Atomics.wait(unchanging, 0, 0, 20);
}
