import type { Command } from 'commander';
import type { Task } from '../../src/api/views/schemas.ts';
import { clientVariables, loadEnvironment } from '../../src/config/config.ts';
import { toWarnings } from '../../src/config/warnings.ts';
import { createHoldfastClient, type HoldfastClient } from '../client/holdfast-client.ts';
import { type Target, toTarget } from '../client/target.ts';
import { runCommand } from '../command.ts';
import { SetupError } from '../setup-error.ts';
import { toFault } from './faults.ts';
import { followTasks } from './follow.ts';
import { escapeText, toSummary } from './lines.ts';
import { createOutput, type Output } from './output.ts';

/** The longest time for one call. The API answers within seconds, even while Temporal is unavailable. */
const timeoutMs = 15_000;

/** The exit code after the reader of stdout is gone, as with `| head`: 128 plus the number of SIGPIPE, as in shells. */
const readerGoneCode = 141;

/** One run of the command against one Holdfast. */
export type Session = {
  target: Target;
  output: Output;
  signal: AbortSignal;
  holdfast: HoldfastClient;
  /** A client whose calls continue after Ctrl-C, because the user must learn what a submission has started. */
  submitting: HoldfastClient;
  /** Follows `tasks` until they end and prints each change. If this fails or is interrupted, calls `noteOpen`. */
  follow: (tasks: Map<string, Task>) => Promise<void>;
  /** Prints which tasks keep running, and the command that shows them again. */
  noteOpen: (tasks: Map<string, Task>) => void;
};

/**
 * Runs `work` with a session for one Holdfast, which the command's flags or the environment select. Exits with the
 * code that `work` returns.
 */
export const runSession = (command: Command, work: (session: Session) => Promise<number>): Promise<never> =>
  runCommand(async (asked) => {
    const flags = command.optsWithGlobals<{ url?: string; json?: true; watch?: true }>();
    const environment = loadEnvironment();
    const output = createOutput(flags);
    // Only these variables, because `.env` is mostly that of the API and the workers, which log warnings themselves.
    for (const warning of toWarnings(Object.keys(environment), clientVariables)) output.note(warning);
    const target = toTarget(environment, flags.url);
    const readerGone = new AbortController();
    process.stdout.on('error', () => readerGone.abort());
    const signal = AbortSignal.any([asked, readerGone.signal]);
    try {
      return await work(await openSession(target, { output, signal, urlFlag: flags.url }));
    } catch (error) {
      if (readerGone.signal.aborted) return readerGoneCode;
      const fault = toFault(error, target);
      throw fault instanceof SetupError ? new SetupError(escapeText(fault.message)) : fault;
    }
  });

type Options = { output: Output; signal: AbortSignal; urlFlag: string | undefined };

/**
 * Checks that Holdfast answers at the target, and creates a session for it.
 * @throws {SetupError} if Holdfast does not answer.
 */
async function openSession(target: Target, { output, signal, urlFlag }: Options): Promise<Session> {
  const holdfast = createHoldfastClient({ ...target, signal, timeoutMs });
  const noteOpen = (tasks: Map<string, Task>) => {
    const open = [...tasks.values()].filter(({ finishedAt }) => finishedAt === undefined);
    if (open.length === 0) return;
    const whatKeepsRunning =
      tasks.size === 1
        ? 'The task keeps running. To see it again:'
        : `${toSummary([...tasks.values()])}. Open tasks keep running. To see them again:`;
    const flag = urlFlag === undefined ? '' : ` --url ${urlFlag}`;
    output.note([whatKeepsRunning, ...open.map(({ id }) => `  npm run task -- status ${id}${flag}`)].join('\n'));
  };
  await holdfast.requireHoldfast();
  return {
    target,
    output,
    signal,
    holdfast,
    submitting: createHoldfastClient({ ...target, timeoutMs }),
    noteOpen,
    async follow(tasks) {
      const { note, task: onChange } = output;
      try {
        await output.whileLive(
          () => [...tasks.values()],
          () => followTasks(tasks, { holdfast, signal, onChange, note }),
        );
      } catch (error) {
        noteOpen(tasks);
        throw error;
      }
    },
  };
}
