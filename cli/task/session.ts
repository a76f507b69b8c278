import type { Task } from '../../src/api/views/schemas.ts';
import { createHoldfastClient, type HoldfastClient } from '../client/holdfast-client.ts';
import type { Target } from '../client/target.ts';
import { followTasks } from './follow.ts';
import { toSummary } from './lines.ts';
import type { Output } from './output.ts';

/** The API answers within seconds, also while Temporal does not. */
const timeoutMs = 15_000;

type Options = { target: Target; output: Output; signal: AbortSignal; urlFlag: string | undefined };

/** One run of the command against one Holdfast. */
export type Session = {
  target: Target;
  output: Output;
  signal: AbortSignal;
  holdfast: HoldfastClient;
  /** Lets a call under way be answered after Ctrl-C: what it started must be told. */
  submitting: HoldfastClient;
  /** Follows `tasks` to their ends and tells each change; broken off, it says what goes on without it. */
  follow: (tasks: Map<string, Task>) => Promise<void>;
  /** Says which of `tasks` go on running when the command ends before them. */
  tellOpen: (tasks: Map<string, Task>) => void;
};

/** @throws {SetupError} when what answers there is not Holdfast, or nothing does. */
export async function openSession({ target, output, signal, urlFlag }: Options): Promise<Session> {
  const holdfast = createHoldfastClient({ ...target, signal, timeoutMs });
  const tellOpen = (tasks: Map<string, Task>) => {
    const open = [...tasks.values()].filter(({ finishedAt }) => finishedAt === undefined);
    if (open.length === 0) return;
    const whatGoesOn =
      tasks.size === 1
        ? 'The task goes on running; to look again:'
        : `${toSummary([...tasks.values()])}. Those still open go on running; to look again:`;
    const flag = urlFlag === undefined ? '' : ` --url ${urlFlag}`;
    output.note([whatGoesOn, ...open.map(({ id }) => `  npm run task -- status ${id}${flag}`)].join('\n'));
  };
  await holdfast.requireHoldfast();
  return {
    target,
    output,
    signal,
    holdfast,
    submitting: createHoldfastClient({ ...target, timeoutMs }),
    tellOpen,
    async follow(tasks) {
      const { note, task: onChange } = output;
      try {
        await output.whileLive(
          () => [...tasks.values()],
          () => followTasks(tasks, { holdfast, signal, onChange, note }),
        );
      } catch (error) {
        tellOpen(tasks);
        throw error;
      }
    },
  };
}
