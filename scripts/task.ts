import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Target, toTarget } from '../cli/client/target.ts';
import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { SetupError } from '../cli/setup-error.ts';
import { escapeText } from '../cli/task/escape.ts';
import { toFault } from '../cli/task/faults.ts';
import { addInputFlags } from '../cli/task/input-flags.ts';
import { statusNames } from '../cli/task/lines.ts';
import { createOutput } from '../cli/task/output.ts';
import { cancelTask, type ListFlags, listTasks, showTask } from '../cli/task/read-tasks.ts';
import { openSession, type Session } from '../cli/task/session.ts';
import { submitTasks } from '../cli/task/submit-tasks.ts';
import { ConfigError, loadEnvironment } from '../src/config/config.ts';
import { type TaskInput, taskNames, tasks } from '../src/tasks.ts';

/** `npm run task`: submits tasks to a running Holdfast and watches them, over HTTP. */
const command = createCommand('task', 'Submits tasks to a running Holdfast, watches, lists, cancels and reruns them.')
  .option('--url <url>', 'the Holdfast to talk to (default: HOLDFAST_URL, else where HOST and PORT put one)')
  .option('--json', 'print JSON documents of the API, one a line, and nothing else on stdout')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
Exit codes: 0 all is well; submitted or watched tasks: only if each of them completed. 1 a task failed or was
cancelled, or Holdfast refused or did not answer. 2 a wrong flag. 130 Ctrl-C: tasks that were submitted go on running.

The key of a Holdfast with API_KEYS is read from HOLDFAST_API_KEY: a flag would stand in every process listing.
In a pipe write npm run --silent task -- …, for npm puts lines of its own on stdout.`,
  );

type Flags = { url?: string; json?: true; watch?: true };
type Work = (session: Session) => Promise<number>;
let chosen: { work: Work; flags: Flags } | undefined;
const choose = (subcommand: Command, work: Work) => {
  chosen = { work, flags: subcommand.optsWithGlobals<Flags>() };
};

const watchFlag = 'between two changes also tell how long until the next attempt: on a terminal live, else every 10 s';
const watched = `Each state that a look every quarter of a second finds new is a line, or with --json a document,
the last one the task's end; states that pass faster may be skipped.`;

/** What an id consists of; anything else would be another path. */
function parseId(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a whole id, as npm run task -- list shows it.');
}

for (const name of taskNames) {
  const submit = command.command(name).description(tasks[name].summary);
  const toInput = addInputFlags(submit, name);
  submit
    .option('--count <n>', 'how many of them', wholeNumber(1, 1_000), 1)
    .option('--watch', watchFlag)
    .option('--no-wait', 'submit only: exit code 0 if all were accepted')
    .addHelpText('after', `\n${watched}`)
    .action((flags: { count: number; wait: boolean }, self: Command) => {
      const { count, wait } = flags;
      // The API is the judge of the input: a newer one may take more than this catalogue knows.
      const input = toInput(flags) as TaskInput;
      choose(self, (session) =>
        submitTasks({ submit: (holdfast) => holdfast.submit(name, input), count, wait }, session),
      );
    });
}

command
  .command('status')
  .description('Show a task as it is now, or watch it')
  .argument('<id>', 'its whole id', parseId)
  .option('--watch', `until its end; ${watchFlag}`)
  .addHelpText('after', `\nWith --watch: ${watched}`)
  .action((id: string, { watch = false }: { watch?: boolean }, self: Command) => {
    choose(self, (session) => showTask(id, watch, session));
  });

command
  .command('list')
  .description('List tasks: open ones first by start, then the latest finished; the newest may take a second to appear')
  .addOption(new Option('--name <name>', 'only tasks of this name').choices(taskNames))
  .addOption(new Option('--status <status>', 'only tasks in this state').choices(statusNames))
  .option('--limit <n>', 'tasks a page (default: 50, with --all 200)', wholeNumber(1, 1_000))
  .option('--all', 'every page, not only the first')
  .action((flags: ListFlags, self: Command) => {
    choose(self, (session) => listTasks(flags, session));
  });

command
  .command('cancel')
  .description('Cancel a task; a running attempt ends with its next heartbeat')
  .argument('<id>', 'its whole id', parseId)
  .action((id: string, _, self: Command) => {
    choose(self, (session) => cancelTask(id, session));
  });

command
  .command('rerun')
  .description('Submit the input of a finished task again, as a new task')
  .argument('<id>', 'its whole id', parseId)
  .option('--watch', watchFlag)
  .option('--no-wait', 'submit only: exit code 0 if it was accepted')
  .action((id: string, { wait }: { wait: boolean }, self: Command) => {
    choose(self, (session) => submitTasks({ submit: (holdfast) => holdfast.rerun(id), count: 1, wait }, session));
  });

command.parse();

/** 128 + SIGPIPE, as shells have it for a command whose reader has gone. */
const readerGoneCode = 141;

await runCommand(async (asked) => {
  // Without a subcommand the help was shown.
  if (!chosen) return 2;
  const { work, flags } = chosen;
  const readerGone = new AbortController();
  process.stdout.on('error', () => readerGone.abort());
  const signal = AbortSignal.any([asked, readerGone.signal]);
  let target: Target;
  try {
    target = toTarget(loadEnvironment(), flags.url);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return error.exitCode;
  }
  try {
    return await work(await openSession({ target, signal, output: createOutput(flags), urlFlag: flags.url }));
  } catch (error) {
    if (readerGone.signal.aborted) return readerGoneCode;
    const fault = toFault(error, target);
    throw fault instanceof SetupError ? new SetupError(escapeText(fault.message)) : fault;
  }
});
